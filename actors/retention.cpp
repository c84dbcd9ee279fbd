#include "actors/retention.hpp"

#include "actors/ask_child.hpp"
#include "actors/job.hpp"
#include "messages/interfaces.hpp"
#include "runtime/actor/harden.hpp"
#include "runtime/home/kept_files.hpp"

#include <filesystem>

namespace ao {
namespace {

using self_pointer = retention_actor::stateful_pointer<retention_state>;

constexpr std::chrono::hours pause{1};

/// A first purge may find much.
constexpr std::chrono::minutes purge_deadline{5};
constexpr std::chrono::minutes removal_limit{30};

void complain(self_pointer self, const char* what, const caf::error& why) {
  self->state.context.say(log_level::warn,
                          std::string{what} + " reason=\""
                            + to_string(to_ao_error(why)) + "\"");
}

void purge_events(self_pointer self) {
  auto& context = self->state.context;
  auto before = context.now() - context.config->keep.events;
  ask<store_actor>(self, context, "store"_name, purge_deadline,
                   msg::purge_past{before, before})
    .then(
      [self](const msg::purged_past& gone) {
        if (gone.events + gone.answers > 0)
          self->state.context.say(
            log_level::info,
            "past_purged events=" + std::to_string(gone.events)
              + " answers=" + std::to_string(gone.answers));
      },
      [self](const caf::error& why) {
        complain(self, "past_not_purged", why);
      });
}

void clean_up(self_pointer self, const session& s) {
  msg::session_order order{
    msg::session_order::kind::cleanup,
    request_id{"retention/" + s.id.text + "/" + std::to_string(s.version)},
    "retention"};
  ask_child<session_actor>(
    self, self->state.context, "sessions"_name,
    make_actor_name("session", s.id.text), registry_deadline, order,
    [](const session&) {},
    [self](const caf::error& why) {
      complain(self, "session_not_cleaned", why);
    });
}

/// Cleans up who has to be, and says whose files may go.
std::vector<std::string> look_at_sessions(self_pointer self) {
  auto& context = self->state.context;
  auto keep = context.config->keep.sessions;
  std::vector<std::string> out;
  for (const auto& s : context.rows->all<session>())
    switch (fate_of(*s, context.now(), keep)) {
    case session_fate::keep:
      break;
    case session_fate::clean_up:
      clean_up(self, *s);
      break;
    case session_fate::remove_files:
      out.push_back(context.place->sessions() + "/" + s->id.text);
    }
  return out;
}

std::set<std::string> busy_runs(const row_view& rows) {
  std::set<std::string> out;
  for (const auto& run : rows.all<ci_run>())
    if (!run->finished_at)
      out.insert(run->directory);
  return out;
}

void remove_files(self_pointer self, std::vector<std::string> sessions) {
  auto& context = self->state.context;
  auto work
    = [place = context.place, busy = busy_runs(*context.rows),
       most = context.config->keep.logs, sessions = std::move(sessions)] {
        auto paths = sessions;
        for (auto& path : logs_to_remove(find_logs(*place, busy), most))
          paths.push_back(std::move(path));
        return remove_kept(*place, paths);
      };
  run_job(
    self, context, removal_limit, std::move(work),
    [self](std::uint64_t gone) {
      if (gone > 0)
        self->state.context.say(log_level::info,
                                "files_removed count=" + std::to_string(gone));
    },
    [self](const caf::error& why) {
      complain(self, "files_not_removed", why);
    });
}

} // namespace

retention_actor::behavior_type retention(self_pointer self,
                                         hub_context context) {
  harden(self, context);
  self->state.context = std::move(context);
  self->send(self, look_atom::value);
  return {
    [self](look_atom) {
      purge_events(self);
      remove_files(self, look_at_sessions(self));
      self->delayed_send(self, pause, look_atom::value);
    },
  };
}

} // namespace ao
