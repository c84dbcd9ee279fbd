#pragma once

#include "messages/error.hpp"
#include "runtime/actor/context.hpp"
#include "runtime/actor/error.hpp"
#include "runtime/process/reader_pool.hpp"

#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/response_promise.hpp>
#include <caf/send.hpp>
#include <caf/spawn_options.hpp>

#include <chrono>
#include <exception>
#include <memory>
#include <string>
#include <utility>

namespace ao {

using job_atom = caf::atom_constant<caf::atom("job")>;
using read_atom = caf::atom_constant<caf::atom("read")>;

/// Runs `work`, which blocks, in a thread of its own and hands its result to
/// one of two continuations in the context of `self`:
///
///   run_job(self, context, 10min, [=] { return git.push(...); },
///           [self](const std::string& head) { ... },
///           [self](const caf::error& why) { ... });
///
/// For the blocking steps of one subject that must not wait for another's; a
/// step that must wait (metadata of a repository) belongs to a detached actor
/// instead. `work` returns `result<T>`; T is default constructible.
/// @param limit When to stop waiting; the work itself has its own deadline.
template <class Self, class Work, class OnValue, class OnError>
void run_job(Self* self, const actor_context& context,
             std::chrono::milliseconds limit, Work work, OnValue on_value,
             OnError on_error) {
  using outcome = decltype(work());
  // The result stays outside of the message, so that it needs no type id.
  auto box = std::make_shared<outcome>(fail(ec::internal, "job has not run"));
  auto body = [box, work](caf::event_based_actor* worker) -> caf::behavior {
    return {[worker, box, work](job_atom) -> caf::result<void> {
      try {
        *box = work();
      } catch (...) {
        *box = fail(describe(std::current_exception()));
      }
      worker->quit();
      if (!*box)
        return make_error(box->error());
      return caf::unit;
    }};
  };
  auto worker = context.threads
    ? self->home_system().template spawn<caf::detached>(body)
    : self->home_system().spawn(body);
  self->request(worker, limit, job_atom::value)
    .then([box, on_value]() mutable { on_value(**box); },
          [on_error](caf::error& why) mutable {
            on_error(static_cast<const caf::error&>(why));
          });
}

/// The same for work that must not run twice at a time, as on the files of one
/// session: waits for work of the same key that an actor that is gone by now
/// has begun.
/// @param locks Of the host; see `key_locks`.
template <class Self, class Locks, class Work, class OnValue, class OnError>
void run_job_alone(Self* self, const actor_context& context,
                   const std::shared_ptr<Locks>& locks, const std::string& key,
                   std::chrono::milliseconds limit, Work work, OnValue on_value,
                   OnError on_error) {
  run_job(
    self, context, limit,
    [locks, key, work] {
      auto alone = locks->take(key);
      return work();
    },
    std::move(on_value), std::move(on_error));
}

/// The same for work that only reads a few small files: by the readers of the
/// hub, so that many of these at once are not as many threads.
template <class Self, class Context, class Work, class OnValue, class OnError>
void run_reading(Self* self, const Context& context,
                 std::chrono::milliseconds limit, Work work, OnValue on_value,
                 OnError on_error) {
  auto* readers = context.readers;
  if (!readers)
    return run_job(self, context, limit, std::move(work), std::move(on_value),
                   std::move(on_error));
  using outcome = decltype(work());
  auto box = std::make_shared<outcome>(fail(ec::internal, "job has not run"));
  auto body = [box, work, readers](caf::event_based_actor* worker) {
    auto promise = std::make_shared<caf::response_promise>();
    return caf::behavior{[=](job_atom) {
                           *promise = worker->make_response_promise();
                           readers->post([box, work, to = caf::actor{worker}] {
                             try {
                               *box = work();
                             } catch (...) {
                               *box = fail(describe(std::current_exception()));
                             }
                             caf::anon_send(to, read_atom::value);
                           });
                         },
                         [=](read_atom) {
                           if (*box)
                             promise->deliver(caf::unit);
                           else
                             promise->deliver(make_error(box->error()));
                           worker->quit();
                         }};
  };
  self->request(self->home_system().spawn(body), limit, job_atom::value)
    .then([box, on_value]() mutable { on_value(**box); },
          [on_error](caf::error& why) mutable {
            on_error(static_cast<const caf::error&>(why));
          });
}

} // namespace ao
