#include "tests/support/notification_storm.hpp"

#include "tests/support/world.hpp"

#include <map>
#include <random>
#include <set>

namespace ao {
namespace {

using nlohmann::json;
using mishap = gateway_mishap::kind;

/// Attempts that one hub has under way at most, see `outbox_policy`.
constexpr std::size_t under_way = 3;

/// What a request that was on its way already needs to arrive.
constexpr std::chrono::milliseconds on_its_way{200};

world_options options_for(const fake_gateway& gateway,
                          const notification_storm& what) {
  world_options o;
  o.settings += "notifiers: {phone: {plugin: openclaw, url: \"" + gateway.url()
    + "\", token: hook-token, timeout: 1s, waitForCompletion: false, "
      "retryDelay: 100ms, retryMaxDelay: 500ms, sessionKeyPrefix: \""
    + what.session_key_prefix + "\"}}\n";
  return o;
}

gateway_mishap draw(std::mt19937& dice, int share) {
  if (static_cast<int>(dice() % 100) >= share)
    return {};
  switch (dice() % 9) {
  case 0:
    return {mishap::status, 429, "1"};
  case 1:
    return {mishap::status, 500};
  case 2:
    return {mishap::status, 502};
  case 3:
    return {mishap::status, 503};
  case 4:
    return {mishap::hang};
  case 5:
    return {mishap::reset_before};
  case 6:
    return {mishap::status, 400};
  default:
    return {mishap::reset_after};
  }
}

std::string text_of(std::size_t n) {
  return "Number " + std::to_string(n) + ".";
}

/// Which of them the text is; none of ours is 0.
std::size_t number_in(const std::string& text) {
  auto at = text.find("Number ");
  return at == text.npos ? 0 : std::stoul(text.substr(at + 7));
}

void send(const world& w, std::size_t n) {
  auto answer
    = w.api().call("POST", "/api/v1/notifications/test", {{"text", text_of(n)}},
                   {{"Idempotency-Key", "storm-" + std::to_string(n)}});
  if (!answer)
    throw std::runtime_error("not taken: " + to_string(answer.error()));
}

std::size_t count_in_state(const json& rows, const std::string& state) {
  std::size_t out = 0;
  for (const auto& row : rows)
    out += row["state"] == state ? 1 : 0;
  return out;
}

/// The rows once none of them is pending, or when the time is over.
json rows_when_settled(const world& w) {
  constexpr std::chrono::minutes patience{10};
  json rows;
  auto look = [&](const http::received_event& e) {
    using next = http::api_client::next;
    if (e.event.compare(0, 13, "notification_") != 0)
      return next::more;
    auto answer = w.api().call("GET", "/api/v1/notifications?state=pending");
    return answer && answer->body["data"].empty() ? next::stop : next::more;
  };
  auto last = w.last_event();
  auto after = std::to_string(last > 0 ? last - 1 : 0);
  auto ended = w.api().stream("/api/v1/events?after=" + after, look, patience);
  if (!ended)
    throw std::runtime_error("not all is settled: " + to_string(ended.error()));
  return w.ask({"notify", "ls"})["data"];
}

void judge_requests(const std::vector<gateway_request>& all, storm_end& end) {
  std::optional<std::chrono::steady_clock::time_point> rest_from;
  std::map<std::size_t, std::size_t> refused;
  for (const auto& r : all) {
    if (rest_from && r.at > *rest_from + on_its_way
        && r.at < *rest_from + std::chrono::seconds{1})
      end.hasty += 1;
    if (r.status == 429)
      rest_from = r.at;
    auto body = json::parse(r.body, nullptr, false);
    auto known_by_policy = body.contains("sessionKey");
    auto n = number_in(body.value("message", ""));
    if (refused.count(n) > 0)
      end.stubborn += 1;
    if (r.status == 400 && !known_by_policy)
      refused[n] += 1;
  }
}

} // namespace

storm_end weather(const notification_storm& what) {
  auto dice = std::make_shared<std::mt19937>(what.seed);
  fake_gateway gateway{what.gateway};
  world w{options_for(gateway, what)};
  w.add_agent("nobody", "true");
  gateway.plan_each(
    [dice, share = what.mishaps](std::size_t) { return draw(*dice, share); });
  w.start();
  auto stretch = what.notifications / (what.kills + 1) + 1;
  for (std::size_t n = 1; n <= what.notifications; ++n) {
    send(w, n);
    if (n % stretch != 0)
      continue;
    w.kill_hub();
    if (what.forgets)
      gateway.restart();
    w.start();
  }
  auto rows = rows_when_settled(w);
  storm_end end;
  auto object
    = [&end](const std::string& why) { end.objections.push_back(why); };
  std::map<std::size_t, std::size_t> read;
  for (const auto& text : gateway.read_by_person())
    read[number_in(text)] += 1;
  end.read = read.size();
  for (const auto& [n, times] : read)
    end.twice += times > 1 ? 1 : 0;
  end.dead = count_in_state(rows, "dead");
  auto requests = gateway.requests();
  end.requests = requests.size();
  judge_requests(requests, end);
  if (rows.size() != what.notifications)
    object(std::to_string(rows.size()) + " rows");
  for (const auto& row : rows) {
    auto dead = row["state"] == "dead";
    auto id = row["id"].get<std::string>();
    auto n = std::stoul(id.substr(id.find("test-") + 5));
    if (!dead && read.count(n) == 0)
      object(id + " is " + row["state"].get<std::string>()
             + " and nobody has read it");
  }
  auto honours_keys = what.gateway.generation > 1 && !what.forgets;
  if (honours_keys && end.twice > 0)
    object(std::to_string(end.twice) + " texts were read twice");
  auto most = what.kills * under_way;
  if (end.hasty > most)
    object(std::to_string(end.hasty) + " requests came during a pause");
  if (end.stubborn > most)
    object(std::to_string(end.stubborn) + " refused texts came again");
  return end;
}

} // namespace ao
