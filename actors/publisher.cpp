#include "actors/publisher.hpp"

#include "actors/job.hpp"
#include "actors/project_forge.hpp"
#include "actors/record_once.hpp"
#include "actors/secrets.hpp"
#include "messages/interfaces.hpp"
#include "messages/json.hpp"
#include "runtime/actor/harden.hpp"
#include "runtime/forge/local.hpp"

#include <algorithm>
#include <utility>

namespace ao {
namespace {

using self_pointer = publisher_actor::stateful_pointer<publisher_state>;

constexpr std::chrono::minutes push_limit{11};
constexpr std::chrono::seconds first_pause{5};
constexpr std::chrono::minutes longest_pause{5};

/// Once per commit and outcome, also over restarts.
void record(self_pointer self, event_kind kind, const std::string& sha,
            const std::string& reason) {
  auto& st = self->state;
  const auto& project = *st.context.project(st.project);
  json data{{"project", st.project.text},
            {"remote", project.forge.publish.value_or("")},
            {"base", project.default_branch},
            {"sha", sha}};
  if (!reason.empty())
    data["reason"] = reason;
  event e;
  e.at = st.context.now();
  e.subject = "hub";
  e.kind = kind;
  e.actor = "publisher/" + st.project.text;
  e.data = dump(data);
  record_once(self, st.context,
              std::string{to_string(kind)} + "/" + st.project.text + "/" + sha,
              std::move(e));
}

/// What a push came to.
struct pushed {
  std::string sha;
  std::string failure;
};

void push(self_pointer self) {
  auto& st = self->state;
  const auto* project = st.context.project(st.project);
  if (project == nullptr || !project->forge.publish)
    return;
  if (std::exchange(st.pushing, true)) {
    st.again = true;
    return;
  }
  auto git = std::make_shared<local_forge>(
    git_runner{}, forge_dir(st.context, st.project), project->default_branch,
    hook_target{});
  run_job_alone(
    self, st.context, st.context.locks, "publish/" + st.project.text,
    push_limit,
    [git, path = project->path,
     remote = *project->forge.publish]() -> result<pushed> {
      pushed out;
      if (auto base = git->head_of(git->base()); base && *base)
        out.sha = **base;
      auto done = git->publish(path, remote);
      if (done)
        out.sha = *done;
      else
        out.failure = to_string(done.error());
      return out;
    },
    [self](const pushed& end) {
      auto& st = self->state;
      st.pushing = false;
      if (end.failure.empty()) {
        st.pause = {};
        record(self, event_kind::published, end.sha, "");
        if (std::exchange(st.again, false))
          self->send(self, look_atom::value);
        return;
      }
      // What git says may quote an address with a password in it.
      auto secrets = secrets_of(st.context);
      record(self, event_kind::publish_failed, end.sha,
             secrets.redact(end.failure));
      st.again = false;
      st.pause
        = std::clamp<milliseconds>(st.pause * 2, first_pause, longest_pause);
      self->delayed_send(self, st.pause, look_atom::value);
    },
    [self](const caf::error& why) {
      auto& st = self->state;
      st.pushing = false;
      st.context.say(log_level::warn,
                     "not_published project=" + st.project.text + " reason=\""
                       + to_string(to_ao_error(why)) + "\"");
      self->delayed_send(self, longest_pause, look_atom::value);
    });
}

} // namespace

publisher_actor::behavior_type publisher(self_pointer self, hub_context context,
                                         project_id project) {
  harden(self, context);
  self->state.context = std::move(context);
  self->state.project = std::move(project);
  self->send(self, look_atom::value);
  return {
    [self](look_atom) { push(self); },
  };
}

} // namespace ao
