#include "runtime/store/row_view.hpp"

#include "runtime/store/natural_order.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <string>
#include <tuple>
#include <utility>

namespace ao {
namespace {

template <class T>
using row_map = std::map<std::string, row_ptr<T>, natural_less>;

using text_pair = std::pair<std::string, std::string>;

/// Compares pairs of text without copying them.
struct pair_less {
  using is_transparent = void;
  template <class A, class B>
  bool operator()(const A& a, const B& b) const {
    using view = std::string_view;
    return std::pair{view{a.first}, view{a.second}}
    < std::pair{view{b.first}, view{b.second}};
  }
};

using view_pair = std::pair<std::string_view, std::string_view>;

template <class Map, class Key>
typename Map::mapped_type look_up(const Map& map, const Key& key) {
  auto i = map.find(key);
  return i == map.end() ? typename Map::mapped_type{} : i->second;
}

/// Erases the entry if it still speaks of this row.
template <class Map, class T>
void erase_if_mine(Map& map, const typename Map::key_type& key,
                   const row_ptr<T>& mine) {
  auto i = map.find(key);
  if (i != map.end() && i->second == mine)
    map.erase(i);
}

/// Those whose keys begin with `<owner>/`, as no other owner's do.
template <class Rows>
auto rows_below(const Rows& rows, const std::string& owner) {
  std::vector<typename Rows::mapped_type> out;
  auto front = owner + "/";
  for (auto i = rows.lower_bound(front);
       i != rows.end() && i->first.compare(0, front.size(), front) == 0; ++i)
    out.push_back(i->second);
  return out;
}

} // namespace

/// Rows by key, and the other ways to find them. The indices follow from the
/// rows: `index` and `unindex` are each other's reverse.
struct row_view::tables {
  mutable std::shared_mutex mutex;

  std::optional<store_trouble> trouble;

  std::tuple<row_map<task>, row_map<claim>, row_map<session>, row_map<change>,
             row_map<ci_run>, row_map<counter>, row_map<message>,
             row_map<change_review>>
    rows;

  std::map<std::string, row_ptr<task>, std::less<>> tasks_by_key;
  /// (earlier, later) of suspected pairs.
  std::map<text_pair, row_ptr<task>, pair_less> tasks_by_suspect;
  /// (node, subject) of held claims.
  std::map<text_pair, row_ptr<claim>, pair_less> claims_by_node;
  /// (project, branch) of open changes.
  std::map<text_pair, row_ptr<change>, pair_less> changes_by_branch;
  std::map<std::string, row_ptr<change>, std::less<>> changes_by_session;
  /// (project, number).
  std::map<std::pair<std::string, std::uint64_t>, row_ptr<change>>
    changes_by_project;
  /// (session, number).
  std::map<std::pair<std::string, std::uint64_t>, row_ptr<message>>
    messages_by_session;

  template <class T>
  row_map<T>& of() {
    return std::get<row_map<T>>(rows);
  }
  template <class T>
  const row_map<T>& of() const {
    return std::get<row_map<T>>(rows);
  }

  template <class T>
  void unindex(const row_ptr<T>&) {}
  template <class T>
  void index(const row_ptr<T>&) {}

  void unindex(const row_ptr<task>& x) {
    erase_if_mine(tasks_by_key, x->key, x);
    for (const auto& s : x->suspects)
      erase_if_mine(tasks_by_suspect, {s.other.text, x->id.text}, x);
  }
  void index(const row_ptr<task>& x) {
    if (!x->key.empty())
      tasks_by_key[x->key] = x;
    for (const auto& s : x->suspects)
      tasks_by_suspect[{s.other.text, x->id.text}] = x;
  }

  void unindex(const row_ptr<claim>& x) {
    erase_if_mine(claims_by_node, {x->node.text, x->subject}, x);
  }
  void index(const row_ptr<claim>& x) {
    if (x->held)
      claims_by_node[{x->node.text, x->subject}] = x;
  }

  void unindex(const row_ptr<change>& x) {
    erase_if_mine(changes_by_branch, {x->project.text, x->branch}, x);
    erase_if_mine(changes_by_session, x->session.text, x);
    erase_if_mine(changes_by_project, {x->project.text, x->number}, x);
  }
  void index(const row_ptr<change>& x) {
    changes_by_project[{x->project.text, x->number}] = x;
    if (x->state != change_state::open)
      return;
    changes_by_branch[{x->project.text, x->branch}] = x;
    if (!x->session.empty())
      changes_by_session[x->session.text] = x;
  }

  void unindex(const row_ptr<message>& x) {
    erase_if_mine(messages_by_session, {x->session.text, x->number}, x);
  }
  void index(const row_ptr<message>& x) {
    messages_by_session[{x->session.text, x->number}] = x;
  }

  template <class T>
  void put(row_ptr<T> x) {
    auto& slot = of<T>()[key_of(*x)];
    if (slot)
      unindex(slot);
    slot = std::move(x);
    index(slot);
  }

  template <class T>
  void put_all(std::vector<T>&& list) {
    for (auto& x : list)
      put(row_ptr<T>{std::make_shared<const T>(std::move(x))});
  }
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
  std::vector<row_ptr<T>> out;
  out.reserve(rows.size());
  for (const auto& [key, x] : rows)
    out.push_back(x);
  return out;
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

row_ptr<claim> row_view::held_claim(std::string_view subject) const {
  auto x = find<claim>(subject);
  return x && x->held ? x : nullptr;
}

std::vector<row_ptr<claim>> row_view::claims_of(const node_name& node) const {
  std::shared_lock<std::shared_mutex> guard{tables_->mutex};
  const auto& claims = tables_->claims_by_node;
  std::vector<row_ptr<claim>> out;
  for (auto i = claims.lower_bound(view_pair{node.text, {}});
       i != claims.end() && i->first.first == node.text; ++i)
    out.push_back(i->second);
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
  const auto& changes = tables_->changes_by_project;
  std::vector<row_ptr<change>> out;
  for (auto i = changes.lower_bound({project.text, 0});
       i != changes.end() && i->first.first == project.text; ++i)
    out.push_back(i->second);
  return out;
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
  for (auto i = messages.lower_bound({session.text, 0});
       i != messages.end() && i->first.first == session.text; ++i)
    out.push_back(i->second);
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
    && same(rows.counters) && same(rows.messages) && same(rows.reviews);
}

void row_view::load(store_rows rows, std::vector<event> tail,
                    std::uint64_t last_seq) {
  auto fresh = std::make_unique<tables>();
  fresh->put_all(std::move(rows.tasks));
  fresh->put_all(std::move(rows.claims));
  fresh->put_all(std::move(rows.sessions));
  fresh->put_all(std::move(rows.changes));
  fresh->put_all(std::move(rows.ci_runs));
  fresh->put_all(std::move(rows.counters));
  fresh->put_all(std::move(rows.messages));
  fresh->put_all(std::move(rows.reviews));
  {
    std::unique_lock<std::shared_mutex> guard{tables_->mutex};
    tables_->rows.swap(fresh->rows);
    tables_->tasks_by_key.swap(fresh->tasks_by_key);
    tables_->tasks_by_suspect.swap(fresh->tasks_by_suspect);
    tables_->claims_by_node.swap(fresh->claims_by_node);
    tables_->changes_by_branch.swap(fresh->changes_by_branch);
    tables_->changes_by_session.swap(fresh->changes_by_session);
    tables_->changes_by_project.swap(fresh->changes_by_project);
    tables_->messages_by_session.swap(fresh->messages_by_session);
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
