#include "runtime/rules/verdicts.hpp"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

using namespace ao;
using nlohmann::json;
using testing::HasSubstr;

namespace {

TEST(Verdicts, OfEachKindAreRead) {
  for (auto text :
       {R"({"verdict":"advise","text":"x"})",
        R"({"verdict":"redesign","title":"t","body":"b"})",
        R"({"verdict":"split","tasks":[{"title":"a","body":"","needs":[]},
            {"title":"b","body":"x","needs":["a"]}]})",
        R"({"verdict":"reassign","agent":"other"})",
        R"({"verdict":"reassign","node":"n2"})", R"({"verdict":"retry"})",
        R"({"verdict":"abandon","why":"x"})",
        R"({"verdict":"ask_human","question":"q","options":["a","b"]})"}) {
    auto in = json::parse(text);
    auto got = read_verdict(in);
    ASSERT_TRUE(got) << text << ": " << to_string(got.error());
    EXPECT_EQ(to_json(*got), in);
  }
  EXPECT_TRUE(read_verdict({{"verdict", "ask_human"}, {"question", "q"}}));
}

struct wrong {
  const char* text;
  const char* said;
};

TEST(Verdicts, ThatAreWrongGetOnePreciseError) {
  for (const auto& [text, said] : std::initializer_list<wrong>{
         {"[]", "verdict: it is array, expected an object"},
         {"{}", "verdict: it is missing, expected a text"},
         {R"({"verdict":7})", "verdict: it is number, expected a text"},
         {R"({"verdict":"sleep"})",
          "verdict: \"sleep\" is unknown, expected one of advise, redesign, "
          "split, reassign, retry, abandon, ask_human"},
         {R"({"verdict":"advise"})", "text: it is missing, expected a text"},
         {R"({"verdict":"advise","text":" \n"})",
          "text: it is blank, expected a text"},
         {R"({"verdict":"advise","text":"x","why":"y"})",
          "why: unknown member, expected one of text"},
         {R"({"verdict":"retry","text":"x"})",
          "text: unknown member, expected no more members"},
         {R"({"verdict":"redesign","title":"t"})", "body: it is missing"},
         {R"({"verdict":"redesign","title":"a\nb","body":"b"})",
          "title: it has a control character, expected one line"},
         {R"({"verdict":"split","tasks":{}})",
          "tasks: it is object, expected a list of tasks"},
         {R"({"verdict":"split","tasks":[{"title":"a"}]})",
          "tasks: it has 1 of them, expected 2 to 20"},
         {R"({"verdict":"split","tasks":[{"title":"a"},{"titel":"b"}]})",
          "tasks[1].titel: unknown member, expected one of title, body, "
          "needs"},
         {R"({"verdict":"split","tasks":[{"title":"a"},{"title":"a"}]})",
          "tasks[1].title: another part is called so"},
         {R"({"verdict":"split","tasks":[{"title":"a"},
             {"title":"b","needs":"a"}]})",
          "tasks[1].needs: it is string, expected a list of texts"},
         {R"({"verdict":"reassign"})", "agent: it is missing"},
         {R"({"verdict":"abandon","why":""})", "why: it is blank"},
         {R"({"verdict":"ask_human","question":"q","options":[1]})",
          "options[0]: it is number, expected a text"},
       }) {
    auto got = read_verdict(json::parse(text));
    ASSERT_FALSE(got) << text;
    EXPECT_EQ(got.error().code, ec::bad_input);
    EXPECT_THAT(got.error().context, HasSubstr(said)) << text;
  }
  auto long_text
    = read_verdict({{"verdict", "advise"}, {"text", std::string(20'000, 'x')}});
  ASSERT_FALSE(long_text);
  EXPECT_THAT(long_text.error().context,
              HasSubstr("text: it has 20000 bytes, expected at most 16384"));
}

} // namespace
