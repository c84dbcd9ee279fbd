#include "runtime/store/tables.hpp"

#include "messages/json.hpp"
#include "messages/row_text.hpp"

#include <type_traits>
#include <utility>

namespace ao {
namespace {

constexpr std::string_view names[]
  = {"tasks",    "claims",   "sessions",   "changes",   "ci",
     "counters", "messages", "reviews",    "incidents", "notifications",
     "breakers", "nodes",    "join_tokens"};
static_assert(std::size(names) == table_count);

template <table T, class Row>
constexpr bool kept_in
  = std::is_same_v<std::variant_alternative_t<static_cast<std::size_t>(T), row>,
                   Row>;
static_assert(
  kept_in<table::tasks, task> && kept_in<table::claims, claim> && kept_in<table::sessions, session> && kept_in<table::changes, change> && kept_in<table::ci, ci_run> && kept_in<table::counters, counter> && kept_in<table::messages, message> && kept_in<table::reviews, change_review> && kept_in<table::incidents, incident> && kept_in<table::notifications, notification> && kept_in<table::breakers, breaker> && kept_in<table::nodes, cluster_node> && kept_in<table::join_tokens, join_token>);

template <class T>
result<void> read_into(row_list<T>& out, table t, std::string_view key,
                       std::string_view doc) {
  if (read_text(doc, out.emplace_back()))
    return {};
  try {
    json::parse(doc).get_to(out.back());
    return {};
  } catch (const json::exception& e) {
    out.pop_back();
    return fail(ec::store_failed,
                "row " + std::string{key} + " of " + std::string{to_string(t)}
                  + " cannot be read: " + e.what());
  }
}

} // namespace

std::string_view to_string(table t) {
  auto i = static_cast<std::size_t>(t);
  return i < table_count ? names[i] : "invalid";
}

const std::string& key_of(const row& r) {
  return std::visit(
    [](const auto& x) -> const std::string& { return key_of(x); }, r);
}

std::uint64_t version_of(const row& r) {
  return std::visit([](const auto& x) { return x.version; }, r);
}

std::string doc_of(const row& r) {
  return std::visit([](const auto& x) { return dump(x); }, r);
}

void store_rows::append(store_rows&& more) {
  tasks.append(std::move(more.tasks));
  claims.append(std::move(more.claims));
  sessions.append(std::move(more.sessions));
  changes.append(std::move(more.changes));
  ci_runs.append(std::move(more.ci_runs));
  counters.append(std::move(more.counters));
  messages.append(std::move(more.messages));
  reviews.append(std::move(more.reviews));
  incidents.append(std::move(more.incidents));
  notifications.append(std::move(more.notifications));
  breakers.append(std::move(more.breakers));
  nodes.append(std::move(more.nodes));
  join_tokens.append(std::move(more.join_tokens));
}

result<void> add_row(store_rows& rows, table t, std::string_view key,
                     std::string_view doc) {
  switch (t) {
  case table::tasks:
    return read_into(rows.tasks, t, key, doc);
  case table::claims:
    return read_into(rows.claims, t, key, doc);
  case table::sessions:
    return read_into(rows.sessions, t, key, doc);
  case table::changes:
    return read_into(rows.changes, t, key, doc);
  case table::ci:
    return read_into(rows.ci_runs, t, key, doc);
  case table::counters:
    return read_into(rows.counters, t, key, doc);
  case table::messages:
    return read_into(rows.messages, t, key, doc);
  case table::reviews:
    return read_into(rows.reviews, t, key, doc);
  case table::incidents:
    return read_into(rows.incidents, t, key, doc);
  case table::notifications:
    return read_into(rows.notifications, t, key, doc);
  case table::breakers:
    return read_into(rows.breakers, t, key, doc);
  case table::nodes:
    return read_into(rows.nodes, t, key, doc);
  case table::join_tokens:
    return read_into(rows.join_tokens, t, key, doc);
  }
  return fail(ec::internal, "no such table");
}

} // namespace ao
