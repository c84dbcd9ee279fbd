#include "runtime/store/row_view.hpp"

#include "runtime/store/natural_order.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <string>
#include <tuple>
#include <utility>

namespace ao {
namespace {

using view_pair = std::pair<std::string_view, std::string_view>;
using view_and_number = std::pair<std::string_view, std::uint64_t>;

/// Orders rows by a key that is in the row, so that no index holds a copy of
/// it; a row is also found by the key alone.
/// @tparam KeyOf The key of a row.
template <class KeyOf, class Less = std::less<>>
struct row_less {
  using is_transparent = void;
  template <class A, class B>
  bool operator()(const A& a, const B& b) const {
    return Less{}(key(a), key(b));
  }
  template <class T>
  static auto key(const row_ptr<T>& x) {
    return KeyOf{}(*x);
  }
  template <class Key>
  static const Key& key(const Key& x) {
    return x;
  }
};

struct own_key {
  template <class T>
  std::string_view operator()(const T& x) const {
    return key_of(x);
  }
};

struct canonical_key {
  std::string_view operator()(const task& x) const { return x.key; }
};

struct node_and_subject {
  view_pair operator()(const claim& x) const {
    return {x.node.text, x.subject};
  }
};

struct project_and_branch {
  view_pair operator()(const change& x) const {
    return {x.project.text, x.branch};
  }
};

struct owner {
  std::string_view operator()(const change& x) const { return x.session.text; }
};

struct own_fingerprint {
  std::string_view operator()(const incident& x) const { return x.fingerprint; }
};

struct session_and_number {
  view_and_number operator()(const message& x) const {
    return {x.session.text, x.number};
  }
};

template <class T, class KeyOf>
using row_index = std::set<row_ptr<T>, row_less<KeyOf>>;

template <class T>
using row_table = std::set<row_ptr<T>, row_less<own_key, natural_less>>;

template <class Rows, class Key>
typename Rows::value_type look_up(const Rows& rows, const Key& key) {
  auto i = rows.find(key);
  return i == rows.end() ? nullptr : *i;
}

/// Takes a row in; `on_old` gets the one of the same key, which goes.
template <class Rows, class T, class OnOld>
void replace(Rows& rows, const row_ptr<T>& x, OnOld on_old) {
  auto i = rows.lower_bound(x);
  if (i != rows.end() && !rows.key_comp()(x, *i)) {
    on_old(*i);
    i = rows.erase(i);
  }
  rows.insert(i, x);
}

template <class Rows, class T>
void replace(Rows& rows, const row_ptr<T>& x) {
  replace(rows, x, [](const row_ptr<T>&) {});
}

/// Erases the entry if it still speaks of this row.
template <class Rows, class T>
void erase_if_mine(Rows& rows, const row_ptr<T>& mine) {
  auto i = rows.find(mine);
  if (i != rows.end() && *i == mine)
    rows.erase(i);
}

/// (earlier, later) of a suspected pair.
using id_pair = std::pair<std::string, std::string>;

/// Compares pairs of text without copying them.
struct pair_less {
  using is_transparent = void;
  template <class A, class B>
  bool operator()(const A& a, const B& b) const {
    return view_pair{a.first, a.second} < view_pair{b.first, b.second};
  }
};

/// Those whose keys begin with the owner and `mark`, as no other owner's do.
template <class Rows>
auto rows_below(const Rows& rows, const std::string& owner, char mark = '/') {
  std::vector<typename Rows::value_type> out;
  auto front = owner + mark;
  for (auto i = rows.lower_bound(front); i != rows.end(); ++i) {
    std::string_view key = rows.key_comp().key(*i);
    if (key.compare(0, front.size(), front) != 0)
      break;
    out.push_back(*i);
  }
  return out;
}

/// Rows by key, and the other ways to find them. The indices follow from the
/// rows: `index` and `unindex` are each other's reverse.
struct table_contents {
  std::tuple<row_table<task>, row_table<claim>, row_table<session>,
             row_table<change>, row_table<ci_run>, row_table<counter>,
             row_table<message>, row_table<change_review>, row_table<incident>,
             row_table<notification>, row_table<breaker>,
             row_table<cluster_node>, row_table<join_token>>
    rows;

  row_index<task, canonical_key> tasks_by_key;
  std::map<id_pair, row_ptr<task>, pair_less> tasks_by_suspect;
  /// Held claims.
  row_index<claim, node_and_subject> claims_by_node;
  /// Open changes.
  row_index<change, project_and_branch> changes_by_branch;
  row_index<change, owner> changes_by_session;
  row_index<message, session_and_number> messages_by_session;
  row_index<incident, own_fingerprint> incidents_by_fingerprint;
  /// Those that are still to be sent; their keys begin with the channel.
  row_table<notification> notifications_pending;

  template <class T>
  row_table<T>& of() {
    return std::get<row_table<T>>(rows);
  }
  template <class T>
  const row_table<T>& of() const {
    return std::get<row_table<T>>(rows);
  }

  template <class T>
  void unindex(const row_ptr<T>&) {}
  template <class T>
  void index(const row_ptr<T>&) {}

  void unindex(const row_ptr<notification>& x) {
    erase_if_mine(notifications_pending, x);
  }
  void index(const row_ptr<notification>& x) {
    if (x->state == notification_state::pending)
      replace(notifications_pending, x);
  }

  void unindex(const row_ptr<incident>& x) {
    erase_if_mine(incidents_by_fingerprint, x);
  }
  void index(const row_ptr<incident>& x) {
    replace(incidents_by_fingerprint, x);
  }

  void unindex(const row_ptr<task>& x) {
    erase_if_mine(tasks_by_key, x);
    for (const auto& s : x->suspects) {
      auto i = tasks_by_suspect.find(view_pair{s.other.text, x->id.text});
      if (i != tasks_by_suspect.end() && i->second == x)
        tasks_by_suspect.erase(i);
    }
  }
  void index(const row_ptr<task>& x) {
    if (!x->key.empty())
      replace(tasks_by_key, x);
    for (const auto& s : x->suspects)
      tasks_by_suspect[{s.other.text, x->id.text}] = x;
  }

  void unindex(const row_ptr<claim>& x) { erase_if_mine(claims_by_node, x); }
  void index(const row_ptr<claim>& x) {
    if (x->held)
      replace(claims_by_node, x);
  }

  void unindex(const row_ptr<change>& x) {
    erase_if_mine(changes_by_branch, x);
    erase_if_mine(changes_by_session, x);
  }
  void index(const row_ptr<change>& x) {
    if (x->state != change_state::open)
      return;
    replace(changes_by_branch, x);
    if (!x->session.empty())
      replace(changes_by_session, x);
  }

  void unindex(const row_ptr<message>& x) {
    erase_if_mine(messages_by_session, x);
  }
  void index(const row_ptr<message>& x) { replace(messages_by_session, x); }

  template <class T>
  void put(const row_ptr<T>& x) {
    replace(of<T>(), x, [this](const row_ptr<T>& old) { unindex(old); });
    index(x);
  }

  /// Puts rows into a table without any.
  template <class T>
  void fill(row_list<T>&& list) {
    auto fresh = list.release();
    // Keys of one form come in natural order so, and each goes right behind
    // the one before it.
    std::stable_sort(fresh.begin(), fresh.end(),
                     [](const auto& a, const auto& b) {
                       return key_of(*a).size() < key_of(*b).size();
                     });
    auto& mine = of<T>();
    auto behind = mine.end();
    for (auto& x : fresh) {
      auto i = mine.insert(behind, std::move(x));
      behind = std::next(i);
      index(*i);
    }
  }
};

} // namespace

struct row_view::tables : table_contents {
  mutable std::shared_mutex mutex;

  std::optional<store_trouble> trouble;
};

row_view::row_view() : tables_(std::make_unique<tables>()) {}
row_view::~row_view() = default;

template <class T>
row_ptr<T> row_view::find(std::string_view key) const {
  std::shared_lock<std::shared_mutex> guard{tables_->mutex};
  return look_up(tables_->of<T>(), key);
}

template <class T>
std::vector<row_ptr<T>> row_view::all() const {
  std::shared_lock<std::shared_mutex> guard{tables_->mutex};
  const auto& rows = tables_->of<T>();
  return {rows.begin(), rows.end()};
}

template <class T>
std::size_t row_view::count() const {
  std::shared_lock<std::shared_mutex> guard{tables_->mutex};
  return tables_->of<T>().size();
}

#define AO_READ(type)                                                          \
  template row_ptr<type> row_view::find<type>(std::string_view) const;         \
  template std::vector<row_ptr<type>> row_view::all<type>() const;             \
  template std::size_t row_view::count<type>() const;

AO_READ(task)
AO_READ(claim)
AO_READ(session)
AO_READ(change)
AO_READ(ci_run)
AO_READ(counter)
AO_READ(message)
AO_READ(change_review)
AO_READ(incident)
AO_READ(notification)
AO_READ(breaker)
AO_READ(cluster_node)
AO_READ(join_token)

#undef AO_READ

row_ptr<task> row_view::find_task_by_key(std::string_view key) const {
  std::shared_lock<std::shared_mutex> guard{tables_->mutex};
  if (auto x = look_up(tables_->tasks_by_key, key))
    return x;
  return look_up(tables_->of<task>(), key);
}

std::vector<row_ptr<task>>
row_view::suspected_as(const task_id& earlier) const {
  std::shared_lock<std::shared_mutex> guard{tables_->mutex};
  const auto& pairs = tables_->tasks_by_suspect;
  std::vector<row_ptr<task>> out;
  for (auto i = pairs.lower_bound(view_pair{earlier.text, {}});
       i != pairs.end() && i->first.first == earlier.text; ++i)
    out.push_back(i->second);
  return out;
}

std::vector<row_ptr<task>> row_view::suspected_tasks() const {
  std::shared_lock<std::shared_mutex> guard{tables_->mutex};
  std::map<std::string_view, row_ptr<task>, natural_less> found;
  for (const auto& [pair, x] : tables_->tasks_by_suspect)
    if (!is_closed(x->state))
      found.emplace(x->id.text, x);
  std::vector<row_ptr<task>> out;
  for (auto& [id, x] : found)
    out.push_back(std::move(x));
  return out;
}

row_ptr<incident>
row_view::incident_called(std::string_view fingerprint) const {
  std::shared_lock<std::shared_mutex> guard{tables_->mutex};
  return look_up(tables_->incidents_by_fingerprint, fingerprint);
}

std::vector<row_ptr<incident>>
row_view::incidents_of(const task_id& task) const {
  std::shared_lock<std::shared_mutex> guard{tables_->mutex};
  return rows_below(tables_->incidents_by_fingerprint, task.text);
}

std::vector<row_ptr<notification>>
row_view::notifications_of(const std::string& channel) const {
  std::shared_lock<std::shared_mutex> guard{tables_->mutex};
  return rows_below(tables_->of<notification>(), channel);
}

std::vector<row_ptr<notification>>
row_view::pending_notifications(const std::string& channel) const {
  std::shared_lock<std::shared_mutex> guard{tables_->mutex};
  return rows_below(tables_->notifications_pending, channel);
}

row_ptr<claim> row_view::held_claim(std::string_view subject) const {
  auto x = find<claim>(subject);
  return x && x->held ? x : nullptr;
}

std::vector<row_ptr<claim>> row_view::claims_of(const node_name& node) const {
  std::shared_lock<std::shared_mutex> guard{tables_->mutex};
  const auto& claims = tables_->claims_by_node;
  std::vector<row_ptr<claim>> out;
  for (auto i = claims.lower_bound(view_pair{node.text, {}});
       i != claims.end() && (*i)->node == node; ++i)
    out.push_back(*i);
  return out;
}

row_ptr<change> row_view::open_change(const project_id& project,
                                      std::string_view branch) const {
  std::shared_lock<std::shared_mutex> guard{tables_->mutex};
  return look_up(tables_->changes_by_branch, view_pair{project.text, branch});
}

row_ptr<change> row_view::open_change(const session_id& session) const {
  std::shared_lock<std::shared_mutex> guard{tables_->mutex};
  return look_up(tables_->changes_by_session, session.text);
}

std::vector<row_ptr<change>>
row_view::changes_of(const project_id& project) const {
  std::shared_lock<std::shared_mutex> guard{tables_->mutex};
  // `app#3`: in natural order, which is that of their numbers.
  return rows_below(tables_->of<change>(), project.text, '#');
}

std::vector<row_ptr<ci_run>>
row_view::ci_runs_of(const change_id& change) const {
  std::shared_lock<std::shared_mutex> guard{tables_->mutex};
  return rows_below(tables_->of<ci_run>(), change.text);
}

std::vector<row_ptr<change_review>>
row_view::reviews_of(const change_id& change) const {
  std::shared_lock<std::shared_mutex> guard{tables_->mutex};
  return rows_below(tables_->of<change_review>(), change.text);
}

std::vector<row_ptr<message>>
row_view::messages_of(const session_id& session) const {
  std::shared_lock<std::shared_mutex> guard{tables_->mutex};
  const auto& messages = tables_->messages_by_session;
  std::vector<row_ptr<message>> out;
  for (auto i = messages.lower_bound(view_and_number{session.text, 0});
       i != messages.end() && (*i)->session == session; ++i)
    out.push_back(*i);
  return out;
}

std::optional<store_trouble> row_view::trouble() const {
  std::shared_lock<std::shared_mutex> guard{tables_->mutex};
  return tables_->trouble;
}

void row_view::set_trouble(std::optional<store_trouble> x) {
  std::unique_lock<std::shared_mutex> guard{tables_->mutex};
  tables_->trouble = std::move(x);
}

bool row_view::shows(const store_rows& rows, std::uint64_t last_seq) const {
  std::shared_lock<std::shared_mutex> guard{tables_->mutex};
  auto same = [&](const auto& list) {
    using type = typename std::decay_t<decltype(list)>::value_type;
    const auto& mine = tables_->of<type>();
    return mine.size() == list.size()
      && std::all_of(list.begin(), list.end(), [&mine](const type& x) {
             auto known = look_up(mine, key_of(x));
             return known && known->version == x.version;
           });
  };
  return events_.last_seq() == last_seq && same(rows.tasks) && same(rows.claims)
    && same(rows.sessions) && same(rows.changes) && same(rows.ci_runs)
    && same(rows.counters) && same(rows.messages) && same(rows.reviews)
    && same(rows.incidents) && same(rows.notifications) && same(rows.breakers)
    && same(rows.nodes) && same(rows.join_tokens);
}

void row_view::load(store_rows rows, std::vector<event> tail,
                    std::uint64_t last_seq) {
  auto fresh = std::make_unique<table_contents>();
  fresh->fill(std::move(rows.tasks));
  fresh->fill(std::move(rows.claims));
  fresh->fill(std::move(rows.sessions));
  fresh->fill(std::move(rows.changes));
  fresh->fill(std::move(rows.ci_runs));
  fresh->fill(std::move(rows.counters));
  fresh->fill(std::move(rows.messages));
  fresh->fill(std::move(rows.reviews));
  fresh->fill(std::move(rows.incidents));
  fresh->fill(std::move(rows.notifications));
  fresh->fill(std::move(rows.breakers));
  fresh->fill(std::move(rows.nodes));
  fresh->fill(std::move(rows.join_tokens));
  {
    std::unique_lock<std::shared_mutex> guard{tables_->mutex};
    std::swap(static_cast<table_contents&>(*tables_), *fresh);
  }
  events_.load(std::move(tail), last_seq);
  events_.tell();
}

void row_view::publish(std::vector<store_write> writes,
                       const std::vector<result<store_written>>& written) {
  std::vector<event_ptr> fresh;
  {
    std::unique_lock<std::shared_mutex> guard{tables_->mutex};
    for (std::size_t i = 0; i < writes.size() && i < written.size(); ++i) {
      if (!written[i] || written[i]->repeated)
        continue;
      for (auto& r : writes[i].rows)
        std::visit(
          [&](auto& x) {
            using type = std::decay_t<decltype(x)>;
            tables_->put(
              row_ptr<type>{std::make_shared<const type>(std::move(x))});
          },
          r);
      auto seq = written[i]->first_seq;
      for (auto& e : writes[i].events) {
        e.seq = seq++;
        fresh.push_back(std::make_shared<const event>(std::move(e)));
      }
    }
  }
  if (fresh.empty())
    return;
  events_.append(std::move(fresh));
  events_.tell();
}

} // namespace ao
