#pragma once

#include <memory>
#include <utility>

namespace ao {

/// A context of which there is one for many actors: a copy is a pointer. A
/// hub_context or a node_context turns into one, and it is passed on as what
/// it holds. For roles that have an actor per session; a copy of the context
/// itself, in each of them and in its specification, is a kilobyte a session.
template <class Context>
class shared_context {
public:
  shared_context() = default;
  shared_context(Context context)
      : context_(std::make_shared<const Context>(std::move(context))) {}

  const Context* operator->() const { return context_.get(); }
  const Context& operator*() const { return *context_; }
  operator const Context&() const { return *context_; }

private:
  std::shared_ptr<const Context> context_;
};

} // namespace ao
