#include "runtime/http/message.hpp"
#include "runtime/http/problem.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

using namespace ao;
using namespace ao::http;

RC_GTEST_PROP(PercentEncoding, SurvivesARoundTrip, (std::string text)) {
  auto encoded = percent_encode(text);
  RC_ASSERT(encoded.find_first_of("/#?& ") == std::string::npos);
  RC_ASSERT(percent_decode(encoded) == text);
}

RC_GTEST_PROP(RequestTarget, NeverEscapesItsRoot, (std::string text)) {
  request what;
  if (parse_target("/" + text, what))
    for (const auto& segment : what.path) {
      RC_ASSERT(segment != "..");
      RC_ASSERT(segment.find('\0') == std::string::npos);
    }
}

TEST(Problem, IsTheSameErrorOnTheOtherSide) {
  error why{ec::stale_epoch, "app-7 holds epoch 3"};
  why.details = {{"current", "4"}, {"epoch", "3"}};
  auto answer = problem_response(why);
  EXPECT_EQ(answer.status, 403);
  EXPECT_EQ(answer.content_type, "application/problem+json");
  auto back = error_of_problem(answer.status, answer.body);
  EXPECT_EQ(back, why);
  EXPECT_EQ(back.details, why.details);
}

TEST(Problem, TakesTheStatusOfAWordItDoesNotKnow) {
  auto back = error_of_problem(409, R"({"error":"brand_new","detail":"x"})");
  EXPECT_EQ(back.code, ec::wrong_state);
  EXPECT_EQ(back.context, "brand_new: x");
  EXPECT_EQ(error_of_problem(504, "<html>").code, ec::timed_out);
}

TEST(Problem, CannotBeForgedByItsMembers) {
  auto document = problem(ec::bad_input, "x", {{"status", 200}, {"a", 1}});
  EXPECT_EQ(document["status"], 400);
  EXPECT_EQ(document["a"], 1);
}
