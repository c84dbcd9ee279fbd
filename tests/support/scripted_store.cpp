#include "tests/support/scripted_store.hpp"

#include "runtime/actor/error.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <algorithm>
#include <functional>
#include <string>

namespace ao::test {

namespace {

store_actor::behavior_type
keeping_store(std::function<void(const store_write&)> keep,
              std::shared_ptr<std::vector<store_write>> writes,
              std::uint64_t oldest) {
  return {
    [keep](const store_write& write) -> caf::result<store_written> {
      keep(write);
      return store_written{};
    },
    [oldest](const msg::read_events& asked) -> caf::result<msg::event_page> {
      if (oldest > 1 && asked.after + 1 < oldest)
        return make_error(ec::cursor_too_old,
                          "the oldest is " + std::to_string(oldest));
      return msg::event_page{};
    },
    [writes](const msg::recall_request& asked) -> caf::result<store_written> {
      auto known = std::any_of(
        writes->begin(), writes->end(),
        [&](const store_write& w) { return w.request == asked.request; });
      return store_written{0, known, {}};
    },
    [](const msg::purge_past&) -> caf::result<msg::purged_past> {
      return msg::purged_past{};
    },
    [](const msg::back_up& asked) -> caf::result<msg::backed_up> {
      return msg::backed_up{asked.path, 0};
    },
    [](writable_atom) -> caf::result<std::uint64_t> {
      return std::uint64_t{0};
    },
    [](flush_atom) {},
    [](probe_atom) {},
  };
}

} // namespace

store_actor::behavior_type
scripted_store(store_actor::stateful_pointer<scripted_store_state>,
               std::shared_ptr<std::vector<store_write>> writes,
               std::uint64_t oldest) {
  return keeping_store(
    [writes](const store_write& write) { writes->push_back(write); }, writes,
    oldest);
}

store_actor::behavior_type
showing_store(store_actor::stateful_pointer<scripted_store_state>,
              row_view* rows) {
  return keeping_store(
    [rows](const store_write& write) {
      rows->publish({write}, {store_written{}});
    },
    std::make_shared<std::vector<store_write>>(), 0);
}

} // namespace ao::test
