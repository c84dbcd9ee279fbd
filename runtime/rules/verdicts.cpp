#include "runtime/rules/verdicts.hpp"

#include "runtime/rules/text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <initializer_list>
#include <optional>

namespace ao {
namespace {

using nlohmann::json;

struct kind_row {
  verdict_kind kind;
  std::string_view word;
  /// Its members, the required ones first.
  std::initializer_list<std::string_view> members;
};

const kind_row kinds[] = {
  {verdict_kind::advise, "advise", {"text"}},
  {verdict_kind::redesign, "redesign", {"title", "body"}},
  {verdict_kind::split, "split", {"tasks"}},
  {verdict_kind::reassign, "reassign", {"agent", "node"}},
  {verdict_kind::retry, "retry", {}},
  {verdict_kind::abandon, "abandon", {"why"}},
  {verdict_kind::ask_human, "ask_human", {"question", "options"}},
};

const kind_row* row_of(std::string_view word) {
  for (const auto& row : kinds)
    if (row.word == word)
      return &row;
  return nullptr;
}

std::string all_kinds() {
  std::string out;
  for (const auto& row : kinds)
    out += (out.empty() ? "" : ", ") + std::string{row.word};
  return out;
}

/// Collects the first thing that is wrong; reads nothing after it.
class reader {
public:
  bool ok() const { return !wrong_; }
  error take() { return error{ec::bad_input, *wrong_}; }

  void object(const json& in, const std::string& at,
              std::initializer_list<std::string_view> known) {
    if (!ok())
      return;
    if (!in.is_object())
      return wrong(at, std::string{"it is "} + in.type_name(), "an object");
    for (const auto& [name, value] : in.items())
      if (std::find(known.begin(), known.end(), name) == known.end()) {
        std::string names;
        for (auto k : known)
          names += (names.empty() ? "" : ", ") + std::string{k};
        return wrong(at.empty() ? name : at + "." + name, "unknown member",
                     names.empty() ? "no more members" : "one of " + names);
      }
  }

  std::string text(const json& in, const std::string& name,
                   const std::string& at, bool required,
                   std::size_t most = longest_verdict_text) {
    if (!ok())
      return {};
    auto found = in.find(name);
    if (found == in.end()) {
      if (required)
        wrong(at, "it is missing", "a text");
      return {};
    }
    return text_at(*found, at, required, most);
  }

  std::string text_at(const json& value, const std::string& at, bool required,
                      std::size_t most) {
    if (!ok())
      return {};
    if (!value.is_string()) {
      wrong(at, std::string{"it is "} + value.type_name(), "a text");
      return {};
    }
    auto out = value.get<std::string>();
    if (out.size() > most)
      wrong(at, "it has " + std::to_string(out.size()) + " bytes",
            "at most " + std::to_string(most));
    else if (out.find('\0') != std::string::npos || !is_utf8(out))
      wrong(at, "it has a NUL or is not UTF-8", "a text");
    else if (required && out.find_first_not_of(" \t\r\n") == std::string::npos)
      wrong(at, "it is blank", "a text");
    return out;
  }

  std::vector<std::string> texts(const json& in, const std::string& name,
                                 const std::string& at, std::size_t most) {
    std::vector<std::string> out;
    auto found = in.find(name);
    if (!ok() || found == in.end())
      return out;
    if (!found->is_array()) {
      wrong(at, std::string{"it is "} + found->type_name(), "a list of texts");
      return out;
    }
    if (found->size() > most)
      wrong(at, "it has " + std::to_string(found->size()) + " entries",
            "at most " + std::to_string(most));
    for (std::size_t i = 0; i < found->size() && ok(); ++i)
      out.push_back(text_at(found->at(i), at + "[" + std::to_string(i) + "]",
                            true, longest_word));
    return out;
  }

  void wrong(const std::string& at, const std::string& what,
             const std::string& expected) {
    if (!wrong_)
      wrong_ = (at.empty() ? "verdict" : at) + ": " + what + ", expected "
        + expected;
  }

private:
  std::optional<std::string> wrong_;
};

void read_parts(reader& r, const json& in, verdict& v) {
  auto found = in.find("tasks");
  if (found == in.end() || !found->is_array())
    return r.wrong("tasks",
                   found == in.end()
                     ? "it is missing"
                     : std::string{"it is "} + found->type_name(),
                   "a list of tasks");
  if (found->size() < 2 || found->size() > most_parts)
    return r.wrong("tasks",
                   "it has " + std::to_string(found->size()) + " of them",
                   "2 to " + std::to_string(most_parts));
  for (std::size_t i = 0; i < found->size() && r.ok(); ++i) {
    const auto& one = found->at(i);
    auto at = "tasks[" + std::to_string(i) + "]";
    r.object(one, at, {"title", "body", "needs"});
    if (!r.ok())
      return;
    verdict::part p;
    p.title = r.text(one, "title", at + ".title", true, longest_title);
    p.body = r.text(one, "body", at + ".body", false);
    p.needs = r.texts(one, "needs", at + ".needs", most_parts);
    if (r.ok() && has_control(p.title))
      r.wrong(at + ".title", "it has a control character", "one line");
    for (const auto& other : v.parts)
      if (other.title == p.title)
        r.wrong(at + ".title", "another part is called so", "its own title");
    v.parts.push_back(std::move(p));
  }
}

} // namespace

std::string_view to_string(verdict_kind k) {
  for (const auto& row : kinds)
    if (row.kind == k)
      return row.word;
  return "invalid";
}

result<verdict> read_verdict(const json& in) {
  reader r;
  if (!in.is_object())
    return fail(ec::bad_input,
                std::string{"verdict: it is "} + in.type_name()
                  + ", expected an object");
  auto word = r.text(in, "verdict", "verdict", true, longest_word);
  if (!r.ok())
    return fail(r.take());
  const auto* row = row_of(word);
  if (!row)
    return fail(ec::bad_input,
                "verdict: \"" + word + "\" is unknown, expected one of "
                  + all_kinds());
  json members = in;
  members.erase("verdict");
  r.object(members, {}, row->members);
  verdict v;
  v.kind = row->kind;
  switch (v.kind) {
  case verdict_kind::advise:
    v.text = r.text(in, "text", "text", true);
    break;
  case verdict_kind::redesign:
    v.title = r.text(in, "title", "title", true, longest_title);
    v.body = r.text(in, "body", "body", true);
    if (r.ok() && has_control(v.title))
      r.wrong("title", "it has a control character", "one line");
    break;
  case verdict_kind::split:
    read_parts(r, in, v);
    break;
  case verdict_kind::reassign:
    v.agent = r.text(in, "agent", "agent", false, longest_word);
    v.node = r.text(in, "node", "node", false, longest_word);
    if (r.ok() && v.agent.empty() && v.node.empty())
      r.wrong("agent", "it is missing", "an agent, or a node");
    break;
  case verdict_kind::retry:
    break;
  case verdict_kind::abandon:
    v.why = r.text(in, "why", "why", true);
    break;
  case verdict_kind::ask_human:
    v.question = r.text(in, "question", "question", true);
    v.options = r.texts(in, "options", "options", most_options);
    break;
  }
  if (!r.ok())
    return fail(r.take());
  return v;
}

json to_json(const verdict& v) {
  json out = {{"verdict", std::string{to_string(v.kind)}}};
  auto put = [&out](const char* name, const std::string& value) {
    if (!value.empty())
      out[name] = value;
  };
  put("text", v.text);
  put("title", v.title);
  put("body", v.body);
  put("agent", v.agent);
  put("node", v.node);
  put("why", v.why);
  put("question", v.question);
  if (!v.options.empty())
    out["options"] = v.options;
  for (const auto& p : v.parts)
    out["tasks"].push_back(
      {{"title", p.title}, {"body", p.body}, {"needs", p.needs}});
  return out;
}

} // namespace ao
