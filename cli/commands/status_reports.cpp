#include "cli/commands/status_reports.hpp"

#include "cli/commands/common.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

namespace ao::cli {
namespace {

using nlohmann::json;

json report_of(const json& event) {
  return {{"at", event.value("at", "")},
          {"state", text_at(event, "data.state")},
          {"note", text_at(event, "data.note")}};
}

/// Every word that the agent of a session has said.
result<json> reports_of(const http::api_client& api,
                        const std::string& session) {
  auto out = json::array();
  for (std::uint64_t after = 0;;) {
    auto target = api_root + "/events?limit=1000";
    add_query(target, "after", std::to_string(after));
    add_query(target, "subject", "session:" + session);
    auto page = api.call("GET", target);
    if (!page)
      return fail(page.error());
    const auto rows = page->body.value("data", json::array());
    if (rows.empty())
      return out;
    for (const auto& event : rows) {
      after = std::max(after, event.value("seq", std::uint64_t{0}));
      if (event.value("kind", "") == "agent_reported")
        out.push_back(report_of(event));
    }
  }
}

} // namespace

result<std::size_t> number_of_reports(const std::string& word) {
  if (word == "full")
    return std::numeric_limits<std::size_t>::max();
  std::size_t out = 0;
  const auto* end = word.data() + word.size();
  auto [stop, bad] = std::from_chars(word.data(), end, out);
  if (bad != std::errc{} || stop != end || out == 0)
    return fail(ec::bad_input,
                "--reports: \"" + word
                  + "\" is neither full nor a number from 1");
  return out;
}

result<void> add_reports(const http::api_client& api, json& rows,
                         std::size_t most) {
  for (auto& row : rows) {
    auto all = reports_of(api, text_at(row, "name"));
    if (!all)
      return fail(all.error());
    auto size = all->size();
    auto first = size - std::min(size, most);
    row["reports"]
      = json(all->begin() + static_cast<std::ptrdiff_t>(first), all->end());
  }
  return {};
}

void print_reports(output& out, const json& rows) {
  auto lines = json::array();
  for (const auto& row : rows)
    for (auto report : row.value("reports", json::array())) {
      report["session"] = text_at(row, "name");
      lines.push_back(std::move(report));
    }
  if (lines.empty())
    return;
  out.line("");
  print_rows(out, lines,
             {{"SESSION", "session"},
              {"AT", "at"},
              {"REPORT", "state"},
              {"NOTE", "note"}},
             3, "");
}

} // namespace ao::cli
