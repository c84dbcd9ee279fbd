#pragma once

#include "messages/settings.hpp"

#include <memory>

namespace ao {

/// A handle to the configuration that counts at present; all copies see the
/// same one. Reading is free of locks and safe from any thread. Those that were
/// replaced live on, as references lead into them: whoever needs two values of
/// one configuration takes `*handle` once and reads both there.
class live_settings {
public:
  /// None: only to be assigned to.
  live_settings() = default;

  live_settings(std::shared_ptr<const settings> first);

  const settings& operator*() const;
  const settings* operator->() const { return &**this; }

  /// Whoever reads from now on, through any copy, sees `next`.
  void replace(std::shared_ptr<const settings> next);

private:
  struct shared;
  std::shared_ptr<shared> shared_;
};

} // namespace ao
