#include "actors/runner_parts.hpp"
#include "runtime/agents/adapter.hpp"
#include "runtime/node/local_time.hpp"

#include <algorithm>
#include <utility>

namespace ao::runner_parts {
namespace {

/// Of the agent's last words as many go into its row.
constexpr std::size_t kept_words = 500;

/// The end of a text, not cut within a character.
std::string end_of(const std::string& text) {
  if (text.size() <= kept_words)
    return text;
  auto at = text.size() - kept_words;
  while (at < text.size()
         && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80)
    ++at;
  return text.substr(at);
}

/// Null for a program of which nothing is known.
const agent_adapter* adapter_of(self_pointer self) {
  const auto& st = self->state;
  const auto* agent = st.context->agent(st.spec->agent);
  return agent ? find_adapter(agent->adapter) : nullptr;
}

transcript_kind kind_of(self_pointer self) {
  const auto* adapter = adapter_of(self);
  return adapter ? adapter->transcript : transcript_kind::none;
}

/// Where the run under way has its transcript, by what its launch wrote down.
result<transcript_target> find_target(const agent_adapter& adapter,
                                      const std::string& directory,
                                      const std::string& worktree) {
  auto launch = read_launch(directory);
  if (!launch)
    return fail(launch.error());
  environment env;
  for (const auto& [name, value] : launch->env)
    env.set(name, value);
  auto note = read_conversation(directory).value_or(conversation_note{});
  transcript_target target;
  target.place
    = place_of_transcript(adapter.transcript, env, worktree, note.id);
  target.file = note.transcript;
  target.run_from = note.run_from;
  if (adapter.calls)
    target.calls = calls_file(directory);
  return target;
}

/// Where it is, so that the next run need not look for it.
void note_file(self_pointer self, const msg::transcript_seen& word) {
  auto& st = self->state;
  if (word.file == st.transcript.file || word.said.conversation.empty())
    return;
  st.transcript.file = word.file;
  run_on_files(
    self,
    [dir = files_of(self).path(), file = word.file,
     id = word.said.conversation]() -> result<bool> {
      auto note = read_conversation(dir);
      if (!note || (note->transcript == file && note->id == id))
        return true;
      note->transcript = file;
      note->id = id;
      if (auto ok = write_conversation(dir, *note); !ok)
        return fail(ok.error());
      return true;
    },
    [](bool) {},
    [self](const caf::error& why) {
      self->state.context->say(log_level::warn,
                               "conversation_not_noted session="
                                 + self->state.id.text + " reason=\""
                                 + to_string(to_ao_error(why)) + "\"");
    });
}

/// With the class of its failure, and when a limit ends.
conversation_state classified(self_pointer self, conversation_state said) {
  auto found
    = failure_of_turn(said, local_clock_at(self->state.context->now()));
  said.failure = found.failure;
  said.until = found.until;
  return said;
}

void tell_activity(self_pointer self, const conversation_state& heard) {
  auto said = classified(self, heard);
  auto& last = self->state.transcript.told;
  auto& told = last ? *last : last.emplace();
  // What was said and spent is told with what it led to.
  if (told.activity == said.activity && told.question == said.question
      && told.failure == said.failure && told.conversation == said.conversation)
    return;
  told = said;
  told.last_words = end_of(said.last_words);
  self->state.transcript.screen.clear();
  report(self, told);
}

} // namespace

bool keeps_transcript(self_pointer self) {
  return kind_of(self) != transcript_kind::none;
}

void take_screen(self_pointer self, const std::vector<std::string>& rows) {
  auto& st = self->state;
  auto found = failure_of_screen(rows);
  if (found.text == st.transcript.screen)
    return;
  st.transcript.screen = found.text;
  auto said = st.transcript.told ? *st.transcript.told : conversation_state{};
  if (found.failure == "auth") {
    said.activity = activity_state::idle;
    said.failure = found.failure;
    said.problem = found.text;
  } else if (!found.failure.empty()) {
    said.activity = activity_state::waiting_input;
    said.question = found.text;
  }
  report(self, said);
}

void follow_transcript(self_pointer self) {
  auto& st = self->state;
  const auto* adapter = adapter_of(self);
  if (!keeps_transcript(self) || !st.context->transcripts
      || st.transcript.run == st.spec->run)
    return;
  if (st.transcript.following)
    end_deliveries(self, "its run is over");
  st.transcript = {};
  st.transcript.run = st.spec->run;
  st.mail.heard.clear();
  st.mail.to_answer.clear();
  auto run = st.spec->run;
  run_reading(
    self, *st.context, step_deadline,
    [adapter, dir = files_of(self).path(), worktree = worktree_of(self)] {
      return find_target(*adapter, dir, worktree);
    },
    [self, run](const transcript_target& target) {
      auto& st = self->state;
      if (st.transcript.run != run)
        return;
      auto hdl = caf::actor_cast<runner_actor>(self);
      st.transcript.following = st.context->transcripts->follow(
        target,
        [hdl, run](const transcript_news& news) {
          caf::anon_send(hdl,
                         msg::transcript_seen{run, news.file, news.state,
                                              news.state.heard, false});
        },
        [hdl, run] {
          caf::anon_send(hdl, msg::liveness_due{run, true});
        });
      if (st.phase != runner_phase::alive)
        finish_transcript(self);
    },
    [self](const caf::error& why) {
      auto& st = self->state;
      st.transcript.run = 0;
      st.context->say(log_level::warn,
                      "transcript_not_followed session=" + st.id.text
                        + " reason=\"" + to_string(to_ao_error(why)) + "\"");
    });
}

void finish_transcript(self_pointer self) {
  auto& st = self->state;
  if (!st.transcript.following)
    return;
  st.transcript.activity = activity_state::unknown;
  auto hdl = caf::actor_cast<runner_actor>(self);
  st.transcript.following->drain([hdl, run = st.transcript.run] {
    msg::transcript_seen end;
    end.run = run;
    end.last = true;
    caf::anon_send(hdl, end);
  });
}

void take_transcript(self_pointer self, const msg::transcript_seen& word) {
  auto& st = self->state;
  if (word.run != st.transcript.run || !st.transcript.following)
    return;
  if (word.last) {
    st.transcript.following.reset();
    return end_deliveries(self, "its run is over");
  }
  note_file(self, word);
  hear_texts(self, word.heard);
  if (word.said.activity == activity_state::idle)
    complete_turn(self);
  if (st.phase != runner_phase::alive || !st.spec || st.spec->run != word.run)
    return;
  st.transcript.activity = word.said.activity;
  tell_activity(self, word.said);
}

} // namespace ao::runner_parts
