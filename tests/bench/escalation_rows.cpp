#include "runtime/home/files.hpp"
#include "runtime/notify/http_call.hpp"
#include "tests/bench/rows.hpp"
#include "tests/bench/stage.hpp"
#include "tests/support/fake_gateway.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>

namespace ao::bench {
namespace {

using nlohmann::json;

constexpr int rounds = 7;

constexpr const char* commits = R"(
echo red > "work.$AO_SESSION"
git add --all
git commit --quiet --message "Red"
)";

/// Fails on anybody's work, and leaves the time of that under its change.
constexpr const char* check = R"(#!/bin/bash
set -eu
ls work.* > /dev/null 2>&1 || exit 0
file="$HOME/checked.${AO_CHANGE#*#}"
echo "$EPOCHREALTIME" > "$file.part"
mv "$file.part" "$file"
exit 1
)";

/// When a request about `session` came to the gateway, by the wall clock;
/// waits for it.
double posted(const fake_gateway& gateway, const std::string& session) {
  auto headline = "] " + session + " ";
  auto come = gateway.await([&](const auto& read) {
    return std::any_of(read.begin(), read.end(), [&](const std::string& text) {
      return text.find(headline) != std::string::npos;
    });
  });
  if (!come)
    throw std::runtime_error("nothing about " + session + " was sent");
  auto all = gateway.requests();
  auto r = std::find_if(all.begin(), all.end(), [&](const auto& one) {
    return one.body.find(headline) != std::string::npos;
  });
  std::chrono::duration<double> ago = std::chrono::steady_clock::now() - r->at;
  return wall_seconds() - ago.count();
}

/// One durable write and one POST with nothing around them, in milliseconds.
double raw_post(const fake_gateway& gateway, const std::string& file) {
  return timed([&] {
    if (auto made = write_file_durably(file, "x", 0600); !made)
      throw std::runtime_error(to_string(made.error()));
    notify::http_call call;
    call.url = gateway.url();
    call.body = "{}";
    notify::perform(call, nullptr);
  });
}

} // namespace

// From the last instruction of a check: its report, the question in the store,
// and the request that brings it to a person.
std::vector<figure> escalation_figures() {
  auto program = (std::filesystem::temp_directory_path()
                  / ("ao-bench-judge-" + std::to_string(::getpid())))
                   .string();
  if (auto made = write_file_durably(program, check, 0700); !made)
    throw std::runtime_error(to_string(made.error()));
  fake_gateway gateway;
  stage s{", ci: {command: [" + program + "], timeout: 1m}",
          "escalation: {selfHeal: {attempts: 0}, mediation: {rounds: 0}}\n"
          "notifiers: {phone: {plugin: openclaw, url: \""
            + gateway.url()
            + "\", token: hook-token}}\n"
              "notificationRouting: {urgent: [phone], action: [phone]}\n",
          commits};
  auto& w = s.in();
  std::vector<double> decided;
  std::vector<double> sent;
  std::vector<double> raw;
  for (int n = 1; n <= rounds; ++n) {
    auto session = s.request(w.add_task("Red " + std::to_string(n)));
    auto red = s.stamp(w.user() / ("checked." + std::to_string(n)));
    auto asked = w.await([&](const json& e) {
      return e["kind"] == "incident_asked" && e["data"]["session"] == session;
    });
    auto at = parse_time(asked["at"].get<std::string>());
    if (!at)
      throw std::runtime_error("an event without a time");
    decided.push_back(static_cast<double>(at->time_since_epoch().count())
                      - red * 1000);
    sent.push_back((posted(gateway, session) - red) * 1000);
    raw.push_back(raw_post(gateway, (w.user() / "raw").string()));
  }
  std::filesystem::remove(program);
  auto cost = median(raw);
  return {
    {"CI red -> the tier is decided", median(decided), cost, "ms", ""},
    {"CI red -> the question is at the gateway", median(sent), cost, "ms", ""}};
}

} // namespace ao::bench
