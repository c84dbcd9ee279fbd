#include "runtime/rules/join_tokens.hpp"

#include <gtest/gtest.h>

using namespace ao;
using namespace std::chrono_literals;

namespace {

const wall_time now{1'700'000'000'000ms};
const std::string ours(fingerprint_digits, 'a');

join_token_parts shown() {
  return {std::string(join_id_digits, '1'),
          std::string(join_secret_digits, '2'), ours};
}

join_token row() {
  join_token t;
  t.id = shown().id;
  t.hash = "hash";
  t.expires_at = now + 15min;
  return t;
}

ec verdict(const join_token* known, const std::string& hash = "hash",
           wall_time at = now, const std::string& fingerprint = ours) {
  join_attempt x;
  x.shown = shown();
  x.shown.fingerprint = fingerprint;
  x.hash = hash;
  x.fingerprint = ours;
  x.now = at;
  x.known = known;
  auto ok = judge_join(x);
  return ok ? ec::none : ok.error().code;
}

} // namespace

TEST(JoinTokens, ReadWhatTheyWrite) {
  auto parts = parse_join_token(to_string(shown()));
  ASSERT_TRUE(parts) << to_string(parts.error());
  EXPECT_EQ(to_string(*parts), to_string(shown()));
}

TEST(JoinTokens, RefuseWhatIsNoToken) {
  auto good = to_string(shown());
  std::vector<std::string> bad
    = {"",          "aoj_",         "aot_" + good.substr(4),
       good + "0",  good.substr(1), good.substr(0, good.size() - 1),
       good + ".x", good + "\n"};
  // A secret that is shorter than 128 bits.
  auto weak = shown();
  weak.secret.pop_back();
  bad.push_back(to_string(weak));
  auto capital = shown();
  capital.id[0] = 'A';
  bad.push_back(to_string(capital));
  for (const auto& text : bad) {
    auto parts = parse_join_token(text);
    ASSERT_FALSE(parts) << text;
    EXPECT_EQ(parts.error().code, ec::bad_token);
  }
}

TEST(JoinTokens, LetInOnceAndInTime) {
  auto t = row();
  EXPECT_EQ(verdict(&t), ec::none);
  EXPECT_EQ(verdict(&t, "hash", t.expires_at), ec::none);
  EXPECT_EQ(verdict(&t, "hash", t.expires_at + 1ms), ec::token_expired);
  t.used_at = now;
  t.used_by = node_name{"n1"};
  EXPECT_EQ(verdict(&t), ec::token_used);
}

TEST(JoinTokens, SayNothingOfATokenWhoseSecretIsWrong) {
  auto t = row();
  t.used_at = now;
  EXPECT_EQ(verdict(&t, "another"), ec::bad_token);
  EXPECT_EQ(verdict(nullptr), ec::bad_token);
}

TEST(JoinTokens, RefuseThoseOfAnotherClusterByName) {
  auto t = row();
  EXPECT_EQ(verdict(&t, "hash", now, std::string(fingerprint_digits, 'b')),
            ec::token_foreign);
  EXPECT_EQ(verdict(nullptr, "x", now, std::string(fingerprint_digits, 'b')),
            ec::token_foreign);
}

TEST(JoinTokens, NameNodesSoThatTheyCanBeNamed) {
  for (const auto* good : {"n1", "gpu-2.example", "A", "0"})
    EXPECT_TRUE(is_node_name(good)) << good;
  for (const auto* bad : {"", "-n", "local", "hub", "a b", "a/b", "ü", "a:b"})
    EXPECT_FALSE(is_node_name(bad)) << bad;
  EXPECT_FALSE(is_node_name(std::string(41, 'a')));
  for (const auto* good : {"gpu=a100", "zone=eu-1"})
    EXPECT_TRUE(is_label(good)) << good;
  for (const auto* bad : {"gpu", "=x", "x=", "a=b c", "a=b,c", ""})
    EXPECT_FALSE(is_label(bad)) << bad;
}
