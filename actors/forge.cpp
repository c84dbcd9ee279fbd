#include "actors/forge.hpp"

#include "actors/project_forge.hpp"
#include "actors/record_once.hpp"
#include "actors/store_trouble.hpp"
#include "messages/interfaces.hpp"
#include "messages/json.hpp"
#include "runtime/actor/harden.hpp"
#include "runtime/forge/squash.hpp"
#include "runtime/rules/changes.hpp"
#include "runtime/rules/reviews.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <stdexcept>
#include <utility>

namespace ao {
namespace {

using self_pointer = forge_actor::stateful_pointer<forge_state>;

const project_settings& settings_of(self_pointer self) {
  return *self->state.context.project(self->state.project);
}

// -- births -------------------------------------------------------------------

/// Has the CI WATCHER of a change live, and tells it where the branch is.
void watch(self_pointer self, const change& c, const std::string& head) {
  auto& st = self->state;
  ask<supervisor_actor>(
    self, st.context, make_actor_name("watchers", st.project.text),
    registry_deadline, start_child{"ci-watcher/" + c.id.text})
    .then(
      [self, branch = c.branch, id = c.id, head](const child_info&) {
        tell<ci_watcher_actor>(self->state.context,
                               make_actor_name("ci-watcher", id.text),
                               msg::branch_pushed{branch, head});
      },
      [self, id = c.id](const caf::error& why) {
        // Found again from its row at the next start of the supervisor.
        self->state.context.say(log_level::error,
                                "watcher_not_started change=" + id.text
                                  + " reason=\"" + to_string(to_ao_error(why))
                                  + "\"");
      });
}

/// The row of a change and everything that is committed with it.
store_write birth_of(self_pointer self, const msg::open_change& asked,
                     const std::string& head, change& out) {
  auto& st = self->state;
  const auto& project = settings_of(self);
  if (!st.numbers) {
    auto counter_name = "change/" + st.project.text;
    auto known = st.context.rows->find<counter>(counter_name);
    st.numbers = known ? *known : counter{};
    st.numbers->name = counter_name;
  }
  auto& numbers = *st.numbers;
  ++numbers.version;
  ++numbers.last;
  out.number = numbers.last;
  out.id = make_change_id(st.project, out.number);
  out.version = 1;
  out.project = st.project;
  out.session = asked.session;
  out.task = asked.task;
  out.epoch = asked.epoch;
  out.branch = asked.branch;
  out.base = project.default_branch;
  out.head_sha = head;
  out.ci = project.ci ? ci_state::pending : ci_state::none;
  out.title = asked.title;
  out.body = asked.body;
  if (auto t = st.context.rows->find<task>(asked.task.text))
    if (out.title.empty())
      out.title = t->title;
  out.created_at = out.updated_at = st.context.now();
  event opened;
  opened.at = out.created_at;
  opened.subject = subject_of(out.id);
  opened.kind = event_kind::change_opened;
  opened.actor = asked.actor;
  opened.epoch = asked.epoch;
  opened.data = dump(json{{"project", st.project.text},
                          {"task", asked.task.text},
                          {"session", asked.session.text},
                          {"change", out.id.text},
                          {"branch", out.branch},
                          {"sha", head}});
  store_write write;
  write.rows = {out, numbers};
  write.events = {opened};
  // Only the holder of the present epoch has a change.
  write.guards
    = {guard{table::claims, asked.task.text, guard::field::epoch, asked.epoch}};
  return write;
}

void open(self_pointer self, const msg::open_change& asked,
          const std::shared_ptr<askers<change>>& waiting) {
  auto& st = self->state;
  auto head = st.git->head_of(asked.branch);
  if (!head)
    return waiting->deliver(fail(head.error()));
  if (!*head)
    return waiting->deliver(
      fail(ec::wrong_state,
           "branch " + asked.branch + " is not at the forge; push it first"));
  if (auto known = st.context.rows->open_change(st.project, asked.branch)) {
    watch(self, *known, **head);
    return waiting->deliver(*known);
  }
  auto& births = st.births[asked.branch];
  births.push_back(waiting);
  if (births.size() > 1)
    return;
  change born;
  auto write = birth_of(self, asked, **head, born);
  ask<store_actor>(self, st.context, "store"_name, store_deadline,
                   std::move(write))
    .then(
      [self, born](const store_written&) {
        watch(self, born, born.head_sha);
        auto found = self->state.births.extract(born.branch);
        for (auto& waiting : found.mapped())
          waiting->deliver(born);
      },
      [self, branch = asked.branch](const caf::error& why) {
        auto found = self->state.births.extract(branch);
        for (auto& waiting : found.mapped())
          waiting->deliver(fail(to_ao_error(why)));
        // Its number was not taken after all; whoever asks again gets it.
        self->state.numbers.reset();
        if (to_ao_error(why).code != ec::guard_failed
            && !store_is_down(self->state.context, why))
          self->quit(why);
      });
}

// -- the checkout -------------------------------------------------------------

/// Checkout and forge have gone apart: recorded once for each position of the
/// checkout, also over restarts.
void record_divergence(self_pointer self, const base_sync& sync) {
  auto& st = self->state;
  st.context.say(log_level::warn,
                 "base_diverged project=" + st.project.text
                   + " ours=" + sync.ours + " theirs=" + sync.theirs);
  event e;
  e.at = st.context.now();
  e.subject = "hub";
  e.kind = event_kind::base_diverged;
  e.actor = "forge/" + st.project.text;
  e.data = dump(json{{"project", st.project.text},
                     {"base", settings_of(self).default_branch},
                     {"ours", sync.ours},
                     {"theirs", sync.theirs}});
  record_once(self, st.context,
              "base_diverged/" + st.project.text + "/" + sync.theirs,
              std::move(e));
}

/// Brings the base forward to the checkout's branch; the base's commit.
result<std::string> follow_checkout(self_pointer self) {
  auto& st = self->state;
  auto began = self->clock().now();
  auto synced = st.git->sync_base(settings_of(self).path);
  if (!synced)
    return fail(synced.error());
  if (synced->what == base_sync::state::diverged)
    record_divergence(self, *synced);
  st.followed = began;
  st.base_sha = synced->ours;
  return synced->ours;
}

/// What all have asked for before the last look began is answered by it.
result<std::string> answer_followers(self_pointer self) {
  auto& st = self->state;
  if (!st.base_sha.empty() && st.last_follower < st.followed)
    return st.base_sha;
  return follow_checkout(self);
}

// -- reviews ------------------------------------------------------------------

result<msg::found_base> find_base(self_pointer self,
                                  const msg::find_base& asked) {
  auto& st = self->state;
  auto base = st.git->head_of(settings_of(self).default_branch);
  if (!base)
    return fail(base.error());
  if (!*base)
    return fail(ec::wrong_state,
                "the forge has no " + settings_of(self).default_branch);
  auto found = st.git->merge_base(**base, asked.head_sha);
  if (!found)
    return fail(found.error());
  return msg::found_base{*found};
}

// -- what was delivered
// --------------------------------------------------------

result<msg::found_head> find_head(self_pointer self,
                                  const msg::find_head& asked) {
  auto head = self->state.git->head_of(asked.branch);
  if (!head)
    return fail(head.error());
  return msg::found_head{head->value_or("")};
}

// -- merges -------------------------------------------------------------------

/// When everything had been said that the merge waited for. Unlike the row's
/// last change it is the same after a crash, and so is the commit, whose checks
/// are adopted.
wall_time ready_since(self_pointer self, const change& c) {
  const auto& rows = *self->state.context.rows;
  auto at = c.created_at;
  if (auto run = rows.find<ci_run>(ci_key(c.id, c.head_sha, false)))
    at = std::max(at, run->finished_at.value_or(at));
  if (auto review = rows.find<change_review>(review_key(c.id, c.head_sha)))
    at = std::max(at, review->given_at.value_or(at));
  return at;
}

merge_author author_of(self_pointer self, const change& c) {
  return {{"ao", "ao@ao.invalid"}, ready_since(self, c)};
}

/// A branch that stays is no harm, and is found again at the next start.
void remove_branch(self_pointer self, const change& c) {
  auto& st = self->state;
  if (!settings_of(self).merge.delete_branch)
    return;
  if (auto ok = st.git->delete_branch(c.branch, c.head_sha); !ok)
    st.context.say(log_level::warn,
                   "branch_kept branch=" + c.branch + " reason=\""
                     + to_string(ok.error()) + "\"");
}

/// What follows a merge; done again when we come back from a crash.
void clear_up_after(self_pointer self, const change& c) {
  auto& st = self->state;
  remove_branch(self, c);
  tell<publisher_actor>(
    st.context, make_actor_name("publisher", st.project.text), look_atom{});
  tell<base_watch_actor>(st.context,
                         make_actor_name("base-watch", st.project.text),
                         msg::base_moved{});
}

/// A session that is found again after a crash pushes what it had pushed, and
/// that may be merged by then: its branch goes once more.
void remove_if_merged(self_pointer self,
                      const std::map<std::string, std::string>& heads) {
  auto& st = self->state;
  for (const auto& c : st.context.rows->changes_of(st.project)) {
    auto at = heads.find(c->branch);
    if (c->state == change_state::merged && at != heads.end()
        && at->second == c->head_sha
        && !st.context.rows->open_change(st.project, c->branch))
      remove_branch(self, *c);
  }
}

result<msg::prepared_merge> prepare(self_pointer self, const change& c) {
  auto& st = self->state;
  const auto& project = settings_of(self);
  auto base = follow_checkout(self);
  if (!base)
    return fail(base.error());
  msg::prepared_merge out;
  out.base_sha = *base;
  auto landed = st.git->find_merge(c.base, c.id);
  if (!landed)
    return fail(landed.error());
  if (*landed) {
    out.landed = true;
    out.commit = **landed;
    clear_up_after(self, c);
    return out;
  }
  auto merged = st.git->merge_result(
    out.base_sha, c.head_sha, project.merge.method,
    squash_message({c.title, c.id, c.task, c.session, c.epoch}),
    author_of(self, c));
  if (!merged)
    return fail(merged.error());
  out.commit = merged->commit;
  out.same_tree_as_head = merged->same_tree_as_head;
  return out;
}

result<msg::landed_merge> land(self_pointer self,
                               const msg::land_merge& order) {
  auto& st = self->state;
  if (auto ok = st.git->advance(order.of.base, order.commit, order.base_sha,
                                order.of.id);
      !ok)
    return fail(ok.error());
  clear_up_after(self, order.of);
  return msg::landed_merge{order.commit};
}

// -- turns --------------------------------------------------------------------

void have_turn(self_pointer self) {
  auto& st = self->state;
  if (st.urgent.empty() && st.others.empty())
    return;
  if (!std::exchange(st.turning, true))
    self->send(self, look_atom::value);
}

/// Has `take` answer the askers when it is its turn; what comes meanwhile is
/// read first, so that the same is done once.
template <class T, class Take>
caf::result<T> in_turn(self_pointer self, std::list<forge_turn>& line,
                       std::string what, Take take) {
  auto known
    = std::find_if(line.begin(), line.end(),
                   [&what](const auto& turn) { return turn.what == what; });
  if (known == line.end()) {
    auto waiting = std::make_shared<askers<T>>();
    line.push_back(
      {std::move(what), [waiting, take] { take(waiting); }, waiting});
    known = std::prev(line.end());
  }
  auto promise = self->make_response_promise<T>();
  static_cast<askers<T>*>(known->waiting.get())->add(promise);
  have_turn(self);
  return promise;
}

/// The same for what is answered at once.
template <class T, class Work>
caf::result<T> work_in_turn(self_pointer self, std::list<forge_turn>& line,
                            std::string what, Work work) {
  return in_turn<T>(self, line, std::move(what),
                    [work](const std::shared_ptr<askers<T>>& waiting) {
                      waiting->deliver(work());
                    });
}

void take_turn(self_pointer self) {
  auto& st = self->state;
  st.turning = false;
  auto& line = st.urgent.empty() ? st.others : st.urgent;
  if (line.empty())
    return;
  auto turn = std::move(line.front());
  line.pop_front();
  turn.take();
  have_turn(self);
}

} // namespace

forge_actor::behavior_type forge(self_pointer self, hub_context context,
                                 project_id project) {
  harden(self, context);
  auto& st = self->state;
  st.context = std::move(context);
  st.project = std::move(project);
  const auto& settings = settings_for(st.context, st.project);
  hook_target hooks{st.context.programs + "/ao", st.context.place->root(),
                    st.project.text};
  st.git.emplace(git_runner{}, forge_dir(st.context, st.project),
                 settings.default_branch, hooks);
  if (auto ok = st.git->seed(settings.path); !ok)
    throw std::runtime_error(to_string(ok.error()));
  if (auto heads = st.git->heads())
    remove_if_merged(self, *heads);
  else
    throw std::runtime_error(to_string(heads.error()));
  return {
    [self](const msg::open_change& asked) {
      return in_turn<change>(
        self, self->state.others, "open " + asked.branch,
        [self, asked](const auto& waiting) { open(self, asked, waiting); });
    },
    [self](const msg::branch_pushed& news) {
      auto& st = self->state;
      if (auto c = st.context.rows->open_change(st.project, news.branch))
        tell<ci_watcher_actor>(st.context,
                               make_actor_name("ci-watcher", c->id.text), news);
      else
        remove_if_merged(self, {{news.branch, news.head_sha}});
      tell<overlaps_actor>(st.context,
                           make_actor_name("overlaps", st.project.text), news);
    },
    [self](const msg::follow_checkout& wish) {
      auto& last = self->state.last_follower;
      last = std::max(last, wish.asked);
      return work_in_turn<std::string>(
        self, self->state.others, "follow",
        [self] { return answer_followers(self); });
    },
    [self](const msg::find_base& asked) {
      return work_in_turn<msg::found_base>(
        self, self->state.others, "base of " + asked.head_sha,
        [self, asked] { return find_base(self, asked); });
    },
    [self](const msg::find_head& asked) {
      return work_in_turn<msg::found_head>(
        self, self->state.urgent, "head of " + asked.branch,
        [self, asked] { return find_head(self, asked); });
    },
    [self](const msg::prepare_merge& order) {
      return work_in_turn<msg::prepared_merge>(
        self, self->state.urgent,
        "prepare " + order.of.id.text + " " + order.of.head_sha,
        [self, order] { return prepare(self, order.of); });
    },
    [self](const msg::land_merge& order) {
      return work_in_turn<msg::landed_merge>(
        self, self->state.urgent, "land " + order.commit,
        [self, order] { return land(self, order); });
    },
    [self](look_atom) { take_turn(self); },
  };
}

} // namespace ao
