#include "messages/json.hpp"
#include "runtime/rules/backlog_parts.hpp"
#include "runtime/rules/text.hpp"

#include <iterator>
#include <set>

namespace ao {
namespace {

constexpr std::string_view known_keys
  = "id, title, body, needs, priority, labels, agent";

/// Counts the lines that the library has read.
class counting_iterator {
public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  counting_iterator(const char* at, std::size_t* line) : at_(at), line_(line) {}

  reference operator*() const { return *at_; }
  counting_iterator& operator++() {
    *line_ += *at_ == '\n' ? 1 : 0;
    ++at_;
    return *this;
  }
  counting_iterator operator++(int) {
    auto before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const counting_iterator& a,
                         const counting_iterator& b) {
    return a.at_ == b.at_;
  }
  friend bool operator!=(const counting_iterator& a,
                         const counting_iterator& b) {
    return !(a == b);
  }

private:
  const char* at_;
  std::size_t* line_;
};

/// Reads one element of the array.
class item_reader {
public:
  item_reader(std::size_t line, backlog_errors& errors) : errors_(errors) {
    item_.line = line;
  }

  /// False when the element is no item at all.
  bool read(const json& element) {
    if (!element.is_object()) {
      wrong("not an object", "{" + std::string{known_keys} + "}");
      return false;
    }
    for (const auto& [name, value] : element.items())
      take(name, value);
    return true;
  }

  backlog_item& item() { return item_; }

private:
  void wrong(const std::string& what, const std::string& expected) {
    errors_.add(item_.line, what + ", expected " + expected);
  }

  void take(const std::string& name, const json& value) {
    if (name == "id")
      take_id(value);
    else if (name == "title")
      take_text(name, value, item_.title);
    else if (name == "body")
      take_text(name, value, item_.body);
    else if (name == "agent")
      take_text(name, value, item_.agent);
    else if (name == "needs")
      take_list(name, value, item_.needs);
    else if (name == "labels")
      take_list(name, value, item_.labels);
    else if (name == "priority")
      take_priority(value);
    else
      wrong("unknown key " + in_quotes(name), std::string{known_keys});
  }

  void take_text(const std::string& name, const json& value,
                 std::string& into) {
    if (value.is_null())
      return;
    if (!value.is_string())
      return wrong(name + " is not a text", "a text");
    into = value.get<std::string>();
    if (into.find('\0') != std::string::npos)
      wrong(name + " contains a NUL", "text");
  }

  void take_id(const json& value) {
    take_text("id", value, item_.id);
    if (value.is_string() && item_.id.empty())
      wrong("the id is empty", "one, or no key id");
  }

  void take_list(const std::string& name, const json& value,
                 std::vector<std::string>& into) {
    if (value.is_null())
      return;
    auto good = value.is_array();
    for (const auto& one : value)
      good = good && one.is_string();
    if (!good)
      return wrong(name + " is not a list of texts", "a list of texts");
    into = value.get<std::vector<std::string>>();
  }

  void take_priority(const json& value) {
    if (value.is_null())
      return;
    if (!value.is_number_integer() || value < 0 || value > 9)
      return wrong("the priority " + in_quotes(value.dump()) + " is none",
                   "0 (first) to 9");
    item_.priority = value.get<int>();
  }

  backlog_item item_;
  backlog_errors& errors_;
};

} // namespace

result<void> read_json(std::string_view text, const std::string& name,
                       backlog_collector& items, backlog_errors& errors) {
  // Syntax and depth first; the second reading only finds the lines.
  auto whole = parse_json(text, name);
  if (!whole)
    return fail(whole.error());
  if (!whole->is_array()) {
    errors.add(1, "not an array, expected [{" + std::string{known_keys} + "}]");
    return {};
  }
  std::size_t line = 1;
  std::vector<std::size_t> line_of_item;
  std::vector<std::set<std::string>> keys_of_item;
  auto look = [&](int depth, json::parse_event_t event, json& parsed) {
    using kind = json::parse_event_t;
    auto begins = event == kind::object_start || event == kind::array_start
      || event == kind::value;
    if (depth == 1 && begins) {
      line_of_item.push_back(line);
      keys_of_item.emplace_back();
    }
    if (depth == 2 && event == kind::key && !keys_of_item.empty()
        && !keys_of_item.back().insert(parsed.get<std::string>()).second)
      errors.add(line,
                 "the key " + in_quotes(parsed.get<std::string>())
                   + " is there twice, expected once");
    return true;
  };
  auto last = text.data() + text.size();
  json again = json::parse(counting_iterator{text.data(), &line},
                           counting_iterator{last, &line}, look, false);
  for (std::size_t i = 0; i < whole->size() && i < line_of_item.size(); ++i) {
    item_reader one{line_of_item[i], errors};
    if (one.read((*whole)[i]))
      items.add(std::move(one.item()));
  }
  return {};
}

} // namespace ao
