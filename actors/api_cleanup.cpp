#include "actors/api_call.hpp"

#include <map>

namespace ao {
namespace {

/// Sessions tell what became of their worktree in their rows; looked at this
/// often while a person waits for it.
constexpr std::chrono::milliseconds look_again{200};

/// One `ao session cleanup` under way.
struct cleanup_round {
  api_call_ptr call;
  caf::actor_clock::time_point until;
  /// Has been ordered, with the row's version at the order.
  std::map<session_id, std::uint64_t> ordered;
  /// Orders that are not answered yet.
  std::size_t asking = 0;
  json rows = json::array();

  void tell(const session_id& id, const char* action,
            const std::string& why = {}) {
    rows.push_back({{"session", id.text},
                    {"action", action},
                    {"why", why.empty() ? json() : json(why)}});
  }
};

using round_ptr = std::shared_ptr<cleanup_round>;

/// Moves what is settled from `ordered` to `rows`.
void take_settled(const row_view& rows, cleanup_round& round) {
  for (auto i = round.ordered.begin(); i != round.ordered.end();) {
    auto row = rows.find<session>(i->first.text);
    if (!row || row->cleaned)
      round.tell(i->first, "cleaned");
    else if (row->version > i->second && !row->reason.empty())
      round.tell(i->first, "kept", row->reason);
    else {
      ++i;
      continue;
    }
    i = round.ordered.erase(i);
  }
}

void follow(api_pointer self, round_ptr round) {
  take_settled(*self->state.context.rows, *round);
  if (self->clock().now() >= round->until) {
    for (const auto& [id, version] : round->ordered)
      round->tell(id, "kept", "is still being cleaned up; ask again");
    round->ordered.clear();
  }
  if (round->ordered.empty() && round->asking == 0)
    return round->call->answer(200, api::list_of(round->rows));
  auto again = [self, round] { follow(self, round); };
  self
    ->request(spawn_pause(self, look_again),
              look_again + std::chrono::seconds{1}, caf::atom("pause"))
    .then([again](bool) { again(); }, [again](caf::error&) { again(); });
}

void order(api_pointer self, round_ptr round, const session& s) {
  ++round->asking;
  auto id = s.id;
  auto version = s.version;
  ask_session(
    self, id,
    msg::session_order{msg::session_order::kind::cleanup, round->call->id},
    [round, id, version](const session&) {
      --round->asking;
      round->ordered.emplace(id, version);
    },
    [round, id](const caf::error& why) {
      --round->asking;
      round->tell(id, "failed", to_ao_error(why).context);
    });
}

} // namespace

void post_cleanup(api_pointer self, api_call_ptr call) {
  auto& context = self->state.context;
  auto dry = api::flag_of(call->body, "dryRun");
  auto project = api::text_of(call->body, "project");
  if (!dry)
    return call->refuse(dry.error());
  if (!project)
    return call->refuse(project.error());
  if (!project->empty())
    if (auto known = api::resolve_project(*context.config, *project, {});
        !known)
      return call->refuse(known.error());
  auto round = std::make_shared<cleanup_round>();
  round->call = call;
  round->until
    = self->clock().now() + answer_deadline - std::chrono::seconds{1};
  for (const auto& s : context.rows->all<session>()) {
    if (!is_terminal(*s) || s->cleaned || !call->reaches(target_of(*s))
        || (!project->empty() && s->project.text != *project))
      continue;
    if (*dry)
      round->tell(s->id, "would_kill");
    else
      order(self, round, *s);
  }
  follow(self, round);
}

} // namespace ao
