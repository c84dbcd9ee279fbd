#include "messages/json.hpp"

#include "messages/row_text.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <type_traits>
#include <utility>

namespace ao {
namespace {

/// The members of `T` on disk: one list that both directions walk.
template <class T>
struct members;

template <>
struct members<suspicion> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("other", x.other);
    v("title", x.title);
    v("score", x.score);
    v("reason", x.reason);
    v("session", x.session);
    v("otherSession", x.other_session);
    v("hold", x.hold);
    v("since", x.since);
  }
};

template <>
struct members<task> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("id", x.id);
    v("version", x.version);
    v("key", x.key);
    v("project", x.project);
    v("ref", x.ref);
    v("title", x.title);
    v("body", x.body);
    v("labels", x.labels);
    v("priority", x.priority);
    v("needs", x.needs);
    v("agent", x.agent);
    v("state", x.state);
    v("why", x.why);
    v("session", x.session);
    v("epoch", x.epoch);
    v("change", x.change);
    v("suspects", x.suspects);
    v("createdAt", x.created_at);
    v("updatedAt", x.updated_at);
    v("closedAt", x.closed_at);
  }
};

template <>
struct members<claim> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("subject", x.subject);
    v("version", x.version);
    v("session", x.session);
    v("node", x.node);
    v("epoch", x.epoch);
    v("held", x.held);
    v("since", x.since);
  }
};

template <>
struct members<counter> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("name", x.name);
    v("version", x.version);
    v("last", x.last);
  }
};

template <>
struct members<exit_info> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("run", x.run);
    v("code", x.code);
    v("signal", x.signal);
    v("cause", x.cause);
    v("at", x.at);
    v("unread", x.unread);
    v("failure", x.failure);
    v("lastLines", x.last_lines);
  }
};

template <>
struct members<worktree_facts> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("headSha", x.head_sha);
    v("dirty", x.dirty);
    v("statusLines", x.status_lines);
    v("ahead", x.ahead);
  }
};

template <>
struct members<session> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("id", x.id);
    v("version", x.version);
    v("project", x.project);
    v("role", x.role);
    v("task", x.task);
    v("subject", x.subject);
    v("epoch", x.epoch);
    v("run", x.run);
    v("node", x.node);
    v("agent", x.agent);
    v("branch", x.branch);
    v("base", x.base);
    v("head", x.head);
    v("runtime", x.runtime);
    v("reason", x.reason);
    v("activity", x.activity);
    v("needsInput", x.needs_input);
    v("resume", x.resume);
    v("prompt", x.prompt);
    v("agentPid", x.agent_pid);
    v("shimPid", x.shim_pid);
    v("workspacePath", x.workspace_path);
    v("tmuxSocket", x.tmux_socket);
    v("tmuxPane", x.tmux_pane);
    v("exit", x.exit);
    v("worktree", x.worktree);
    v("change", x.change);
    v("finishedAt", x.finished_at);
    v("finished", x.finished);
    v("restarts", x.restarts);
    v("end", x.end);
    v("endReason", x.end_reason);
    v("cleaned", x.cleaned);
    v("createdAt", x.created_at);
    v("updatedAt", x.updated_at);
    v("since", x.since);
    v("startedAt", x.started_at);
    v("endedAt", x.ended_at);
  }
};

template <>
struct members<self_heal> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("cause", x.cause);
    v("attempts", x.attempts);
    v("sha", x.sha);
  }
};

template <>
struct members<change> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("id", x.id);
    v("version", x.version);
    v("number", x.number);
    v("project", x.project);
    v("session", x.session);
    v("task", x.task);
    v("epoch", x.epoch);
    v("title", x.title);
    v("body", x.body);
    v("branch", x.branch);
    v("base", x.base);
    v("headSha", x.head_sha);
    v("state", x.state);
    v("ci", x.ci);
    v("review", x.review);
    v("reviewReason", x.review_reason);
    v("merge", x.merge);
    v("mergeReason", x.merge_reason);
    v("mergedSha", x.merged_sha);
    v("heals", x.heals);
    v("createdAt", x.created_at);
    v("updatedAt", x.updated_at);
  }
};

template <>
struct members<ci_run> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("key", x.key);
    v("version", x.version);
    v("change", x.change);
    v("sha", x.sha);
    v("mergedResult", x.merged_result);
    v("state", x.state);
    v("command", x.command);
    v("exitCode", x.exit_code);
    v("cause", x.cause);
    v("directory", x.directory);
    v("startedAt", x.started_at);
    v("finishedAt", x.finished_at);
  }
};

template <>
struct members<change_review> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("key", x.key);
    v("version", x.version);
    v("change", x.change);
    v("sha", x.sha);
    v("baseSha", x.base_sha);
    v("verdict", x.verdict);
    v("by", x.by);
    v("text", x.text);
    v("number", x.number);
    v("session", x.session);
    v("attempts", x.attempts);
    v("remindedRun", x.reminded_run);
    v("failure", x.failure);
    v("askedAt", x.asked_at);
    v("givenAt", x.given_at);
  }
};

template <>
struct members<message_evidence> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("state", x.state);
    v("at", x.at);
    v("source", x.source);
    v("detail", x.detail);
  }
};

template <>
struct members<message> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("id", x.id);
    v("version", x.version);
    v("session", x.session);
    v("number", x.number);
    v("epoch", x.epoch);
    v("run", x.run);
    v("mode", x.mode);
    v("text", x.text);
    v("sender", x.sender);
    v("topic", x.topic);
    v("state", x.state);
    v("delivering", x.delivering);
    v("settled", x.settled);
    v("evidence", x.evidence);
    v("createdAt", x.created_at);
    v("updatedAt", x.updated_at);
    v("deadline", x.deadline);
  }
};

// -- one value to JSON --------------------------------------------------------

template <class T>
json encode(const T& x);

struct writer {
  json& out;

  template <class T>
  void operator()(const char* name, const T& x) const {
    out[name] = encode(x);
  }
};

template <class T>
void write_members(json& out, const T& x) {
  out = json::object();
  members<T>::each(writer{out}, x);
}

template <class T>
struct codec {
  static json encode(const T& x) {
    if constexpr (std::is_enum_v<T>) {
      return std::string{to_string(x)};
    } else if constexpr (std::is_class_v<T>) {
      json out;
      write_members(out, x);
      return out;
    } else {
      return x;
    }
  }
};

template <>
struct codec<std::string> {
  static json encode(const std::string& x) { return x; }
};

template <class Tag>
struct codec<name_of<Tag>> {
  static json encode(const name_of<Tag>& x) { return x.text; }
};

template <>
struct codec<wall_time> {
  static json encode(wall_time x) { return format_time(x); }
};

template <class T>
struct codec<std::optional<T>> {
  static json encode(const std::optional<T>& x) {
    return x ? codec<T>::encode(*x) : json{};
  }
};

template <class T>
struct codec<std::vector<T>> {
  static json encode(const std::vector<T>& xs) {
    auto out = json::array();
    for (const auto& x : xs)
      out.push_back(codec<T>::encode(x));
    return out;
  }
};

template <class T>
json encode(const T& x) {
  return codec<T>::encode(x);
}

// -- one value to text --------------------------------------------------------

/// Whether a byte stands for itself in a string.
bool is_plain(char c) {
  return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/// Writes rows as text without a tree in between: the store's hot path.
struct text_writer {
  std::string& out;

  template <class T>
  void operator()(std::string_view name, const T& x) {
    out += out.back() == '{' ? "\"" : ",\"";
    out += name;
    out += "\":";
    put(x);
  }

  void put(const std::string& x) {
    if (!std::all_of(x.begin(), x.end(), is_plain)) {
      out += dump(json(x));
      return;
    }
    out += '"';
    out += x;
    out += '"';
  }

  void put(bool x) { out += x ? "true" : "false"; }

  void put(wall_time x) { put(format_time(x)); }

  template <class Tag>
  void put(const name_of<Tag>& x) {
    put(x.text);
  }

  template <class T>
  void put(const std::optional<T>& x) {
    if (x)
      put(*x);
    else
      out += "null";
  }

  template <class T>
  void put(const std::vector<T>& xs) {
    out += '[';
    for (const auto& x : xs) {
      if (&x != xs.data())
        out += ',';
      put(x);
    }
    out += ']';
  }

  template <class T>
  void put(const T& x) {
    if constexpr (std::is_enum_v<T>) {
      out += '"';
      out += to_string(x);
      out += '"';
    } else if constexpr (std::is_integral_v<T>) {
      out += std::to_string(x);
    } else {
      out += '{';
      members<T>::each(*this, x);
      out += '}';
    }
  }
};

template <class T>
std::string text_of(const T& x) {
  std::string out;
  out.reserve(1024);
  text_writer{out}.put(x);
  return out;
}

// -- one value from JSON ------------------------------------------------------

[[noreturn]] void wrong_type(const json& in, const char* wanted) {
  throw json::type_error::create(
    302, std::string{"expected "} + wanted + ", but it is " + in.type_name(),
    &in);
}

#define AO_WORD(type)                                                          \
  std::optional<type> word_as(std::string_view text, const type&) {            \
    return type##_from(text);                                                  \
  }
AO_WORD(task_state)
AO_WORD(session_role)
AO_WORD(runtime_state)
AO_WORD(activity_state)
AO_WORD(session_end)
AO_WORD(resume_reason)
AO_WORD(change_state)
AO_WORD(ci_state)
AO_WORD(review_state)
AO_WORD(merge_state)
AO_WORD(message_mode)
AO_WORD(message_state)
#undef AO_WORD

const std::string& text_in(const json& in) {
  if (!in.is_string())
    wrong_type(in, "a string");
  return in.get_ref<const std::string&>();
}

void decode(const json& in, std::string& x) {
  x = text_in(in);
}

template <class Tag>
void decode(const json& in, name_of<Tag>& x) {
  x.text = text_in(in);
}

void decode(const json& in, bool& x) {
  if (!in.is_boolean())
    wrong_type(in, "true or false");
  x = in.get<bool>();
}

void decode(const json& in, wall_time& x) {
  auto t = parse_time(text_in(in));
  if (!t)
    throw json::type_error::create(302, t.error().context, &in);
  x = *t;
}

/// nlohmann would quietly take 1.5, true or -1 for an unsigned number.
template <class T>
std::enable_if_t<std::is_integral_v<T>> decode(const json& in, T& x) {
  if (!in.is_number_integer())
    wrong_type(in, "a whole number");
  using limits = std::numeric_limits<T>;
  auto fits = [&] {
    if (in.is_number_unsigned())
      return in.get<std::uint64_t>() <= std::uint64_t{limits::max()};
    if constexpr (std::is_unsigned_v<T>)
      return in.get<std::int64_t>() >= 0;
    else
      return in.get<std::int64_t>() >= std::int64_t{limits::min()}
      && in.get<std::int64_t>() <= std::int64_t{limits::max()};
  };
  if (!fits())
    throw json::out_of_range::create(401, "the number is out of range", &in);
  x = in.get<T>();
}

template <class T>
std::enable_if_t<std::is_enum_v<T>> decode(const json& in, T& x) {
  auto value = word_as(text_in(in), x);
  if (!value)
    throw json::type_error::create(302, "\"" + text_in(in) + "\" is no state",
                                   &in);
  x = *value;
}

template <class T>
auto decode(const json& in, T& x) -> decltype(from_json(in, x)) {
  from_json(in, x);
}

template <class T>
void decode(const json& in, std::optional<T>& x) {
  x.reset();
  if (!in.is_null())
    decode(in, x.emplace());
}

template <class T>
void decode(const json& in, std::vector<T>& xs) {
  if (!in.is_array())
    wrong_type(in, "an array");
  xs.clear();
  xs.reserve(in.size());
  for (const auto& element : in)
    decode(element, xs.emplace_back());
}

struct reader {
  const json& in;

  template <class T>
  void operator()(const char* name, T& x) const {
    if (auto i = in.find(name); i != in.end())
      decode(*i, x);
  }
};

template <class T>
void read_members(const json& in, T& x) {
  if (!in.is_object())
    wrong_type(in, "an object");
  x = T{};
  members<T>::each(reader{in}, x);
}

// -- one value from text ------------------------------------------------------

/// Reads what `text_writer` has written: the same members in the same order.
/// Says no to anything else.
class text_reader {
public:
  explicit text_reader(std::string_view text) : rest_(text) {}

  bool at_end() const { return rest_.empty(); }

  /// The next member of an object.
  template <class T>
  void operator()(std::string_view name, T& x) {
    good_ = good_ && (std::exchange(first_, false) || take(",")) && take("\"")
      && take(name) && take("\":") && get(x);
  }

  template <class T>
  bool get(T& x) {
    if constexpr (std::is_enum_v<T>) {
      std::string_view word;
      if (!get_plain(word))
        return false;
      auto value = word_as(word, x);
      if (value)
        x = *value;
      return value.has_value();
    } else if constexpr (std::is_integral_v<T>) {
      return get_number(x);
    } else {
      return get_object(x);
    }
  }

  bool get(std::string& x) {
    std::string_view plain;
    if (get_plain(plain)) {
      x = plain;
      return true;
    }
    return get_escaped(x);
  }

  bool get(bool& x) {
    x = take("true");
    return x || take("false");
  }

  bool get(wall_time& x) {
    std::string_view word;
    if (!get_plain(word))
      return false;
    auto t = parse_time(word);
    if (t)
      x = *t;
    return t.has_value();
  }

  template <class Tag>
  bool get(name_of<Tag>& x) {
    return get(x.text);
  }

  template <class T>
  bool get(std::optional<T>& x) {
    x.reset();
    return take("null") || get(x.emplace());
  }

  template <class T>
  bool get(std::vector<T>& xs) {
    xs.clear();
    if (!take("["))
      return false;
    if (take("]"))
      return true;
    do
      if (!get(xs.emplace_back()))
        return false;
    while (take(","));
    return take("]");
  }

private:
  bool take(std::string_view word) {
    if (rest_.substr(0, word.size()) != word)
      return false;
    rest_.remove_prefix(word.size());
    return true;
  }

  /// A string without escapes and foreign letters. Takes nothing of any other.
  bool get_plain(std::string_view& x) {
    if (rest_.empty() || rest_.front() != '"')
      return false;
    std::size_t end = 1;
    while (end < rest_.size() && is_plain(rest_[end]))
      ++end;
    if (end == rest_.size() || rest_[end] != '"')
      return false;
    x = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    return true;
  }

  bool get_escaped(std::string& x) {
    if (rest_.empty() || rest_.front() != '"')
      return false;
    std::size_t end = 1;
    while (end < rest_.size() && rest_[end] != '"')
      end += rest_[end] == '\\' ? 2 : 1;
    if (end >= rest_.size())
      return false;
    auto value = json::parse(rest_.substr(0, end + 1), nullptr, false);
    if (!value.is_string())
      return false;
    x = std::move(value.get_ref<std::string&>());
    rest_.remove_prefix(end + 1);
    return true;
  }

  template <class T>
  bool get_number(T& x) {
    const auto* begin = rest_.data();
    auto [end, problem] = std::from_chars(begin, begin + rest_.size(), x);
    auto size = static_cast<std::size_t>(end - begin);
    if (problem != std::errc{} || (size > 1 && begin[0] == '0'))
      return false;
    rest_.remove_prefix(size);
    return true;
  }

  template <class T>
  bool get_object(T& x) {
    if (!take("{"))
      return false;
    auto outer = std::exchange(first_, true);
    members<T>::each(*this, x);
    first_ = outer;
    return good_ && take("}");
  }

  std::string_view rest_;
  /// No member of the present object has been read.
  bool first_ = true;
  bool good_ = true;
};

template <class T>
bool whole_text(std::string_view text, T& x) {
  text_reader in{text};
  return in.get(x) && in.at_end();
}

// -- foreign text -------------------------------------------------------------

constexpr int max_depth = 64;

/// `<what>:<line>:<column>: <problem>`; `at` counts bytes from 0.
tl::unexpected<error> bad_json(std::string_view what, std::string_view text,
                               std::size_t at, const std::string& problem) {
  auto before = text.substr(0, at);
  std::size_t line = 1;
  std::size_t column = 1;
  for (auto c : before) {
    ++column;
    if (c == '\n') {
      ++line;
      column = 1;
    }
  }
  return fail(ec::bad_input,
              std::string{what} + ":" + std::to_string(line) + ":"
                + std::to_string(column) + ": " + problem);
}

/// Where the nesting first exceeds the limit; npos when it never does.
std::size_t too_deep_at(std::string_view text) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto c = text[i];
    if (quoted) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '[' || c == '{') {
      if (++depth > max_depth)
        return i;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return std::string_view::npos;
}

/// What went wrong, without the library's prefix and without the text that was
/// read, which may be a secret.
std::string problem_of(const json::exception& e) {
  std::string_view text = e.what();
  for (std::string_view mark : {"] ", "column ", ": "})
    if (auto i = text.find(mark); i != std::string_view::npos)
      text.remove_prefix(i + mark.size());
  if (auto i = text.find(" - "); i != std::string_view::npos)
    text.remove_prefix(i + 3);
  return std::string{text.substr(0, text.find("; last read"))};
}

} // namespace

#define AO_ROW(type)                                                           \
  void to_json(json& out, const type& x) {                                     \
    write_members(out, x);                                                     \
  }                                                                            \
  void from_json(const json& in, type& x) {                                    \
    read_members(in, x);                                                       \
  }

AO_ROW(suspicion)
AO_ROW(task)
AO_ROW(claim)
AO_ROW(counter)
AO_ROW(exit_info)
AO_ROW(worktree_facts)
AO_ROW(session)
AO_ROW(self_heal)
AO_ROW(change)
AO_ROW(ci_run)
AO_ROW(change_review)
AO_ROW(message_evidence)
AO_ROW(message)

#undef AO_ROW

#define AO_DUMP(type)                                                          \
  std::string dump(const type& x) {                                            \
    return text_of(x);                                                         \
  }                                                                            \
  bool read_text(std::string_view text, type& x) {                             \
    return whole_text(text, x);                                                \
  }

AO_DUMP(task)
AO_DUMP(claim)
AO_DUMP(counter)
AO_DUMP(session)
AO_DUMP(change)
AO_DUMP(ci_run)
AO_DUMP(change_review)
AO_DUMP(message)

#undef AO_DUMP

void to_json(json& out, const event& x) {
  // `data` was made by us, but a hand-edited database must not end a feed.
  auto data = json::parse(x.data, nullptr, false);
  out = json{
    {"seq", x.seq},
    {"at", format_time(x.at)},
    {"subject", x.subject},
    {"kind", std::string{to_string(x.kind)}},
    {"actor", x.actor},
    {"cause", x.cause},
    {"epoch", x.epoch},
    {"data", data.is_object() ? std::move(data) : json::object()},
  };
}

std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

result<json> parse_json(std::string_view text, std::string_view what) {
  if (auto at = too_deep_at(text); at != std::string_view::npos)
    return bad_json(what, text, at,
                    "nested too deeply, expected at most "
                      + std::to_string(max_depth) + " levels");
  try {
    return json::parse(text);
  } catch (const json::parse_error& e) {
    auto at = e.byte == 0 ? 0 : e.byte - 1;
    return bad_json(what, text, at, "not JSON: " + problem_of(e));
  } catch (const json::exception& e) {
    return bad_json(what, text, 0, "not JSON: " + problem_of(e));
  }
}

} // namespace ao
