#include "runtime/rules/backlog_parts.hpp"
#include "runtime/rules/text.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace ao {
namespace {

constexpr std::string_view open_box = "- [ ]";
constexpr std::string_view heading = "##";

bool starts_with(std::string_view s, std::string_view start) {
  return s.substr(0, start.size()) == start;
}

/// What follows `mark` and a blank; none where the line is another.
std::optional<std::string_view> after(std::string_view line,
                                      std::string_view mark) {
  if (!starts_with(line, mark))
    return std::nullopt;
  line.remove_prefix(mark.size());
  if (!line.empty() && line[0] != ' ' && line[0] != '\t' && line[0] != '\r')
    return std::nullopt;
  return trimmed(line);
}

/// The opening line of a fence, or the closing one.
struct fence {
  char mark = '`';
  std::size_t length = 0;
  std::size_t line = 0;
};

/// ``` or ~~~ at the front of a line, however far it is indented.
std::optional<fence> fence_in(std::string_view line) {
  line = trimmed(line);
  if (line.empty() || (line[0] != '`' && line[0] != '~'))
    return std::nullopt;
  auto mark = line[0];
  auto length = std::min(line.find_first_not_of(mark), line.size());
  // `code` in a text may begin a line as well.
  if (length < 3
      || (mark == '`'
          && line.substr(length).find('`') != std::string_view::npos))
    return std::nullopt;
  return fence{mark, length, 0};
}

bool closes(std::string_view line, const fence& open) {
  auto found = fence_in(line);
  return found && found->mark == open.mark && found->length >= open.length
    && found->length == trimmed(line).size();
}

/// `name: value` with one of our names, in any case.
struct attribute {
  std::string_view name;
  std::string_view value;
};

std::optional<attribute> attribute_in(std::string_view line) {
  line = trimmed(line);
  auto colon = line.find(':');
  if (colon == std::string_view::npos)
    return std::nullopt;
  auto written = trimmed(line.substr(0, colon));
  for (std::string_view name : {"needs", "priority", "labels", "agent"}) {
    auto same = written.size() == name.size();
    for (std::size_t i = 0; same && i < name.size(); ++i)
      same = written[i] == name[i] || written[i] == name[i] - 'a' + 'A';
    if (same)
      return attribute{name, trimmed(line.substr(colon + 1))};
  }
  return std::nullopt;
}

/// The words between the commas.
std::vector<std::string> words_of(std::string_view list) {
  std::vector<std::string> out;
  while (!list.empty()) {
    auto comma = std::min(list.find(','), list.size());
    auto word = trimmed(list.substr(0, comma));
    if (!word.empty())
      out.emplace_back(word);
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return out;
}

/// An item in the making.
struct entry {
  backlog_item item;
  bool finished = false;
  /// A heading without an ID; a section, unless something follows it.
  bool bare_heading = false;
  bool has_priority = false;
  std::string body;
};

/// Reads line by line; what is under way ends at the next item.
class markdown_reader {
public:
  markdown_reader(backlog_collector& items, backlog_errors& errors)
      : items_(items), errors_(errors) {}

  void read(std::string_view text) {
    while (!text.empty()) {
      auto end = std::min(text.find('\n'), text.size());
      ++number_;
      take(text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    if (fence_)
      errors_.add(fence_->line,
                  "a fence is opened and never closed, expected a line of "
                    + std::string(fence_->length, fence_->mark));
    finish();
    // Only now it is known whether headings are the items of this file.
    for (auto& one : found_) {
      if (one.finished)
        items_.add_finished(one.item);
      else if (!(boxes_ && one.bare_heading))
        items_.add(std::move(one.item));
    }
  }

private:
  void take(std::string_view line) {
    if (fence_) {
      if (closes(line, *fence_))
        fence_.reset();
      return append(line);
    }
    if (auto opened = fence_in(line)) {
      fence_ = opened;
      fence_->line = number_;
      return append(line);
    }
    if (auto content = after(line, open_box)) {
      boxes_ = true;
      return begin(*content);
    }
    if (auto content = after(line, heading)) {
      begin(*content);
      current_->bare_heading = current_->item.id.empty();
      return;
    }
    for (auto ticked : {"- [x]", "- [X]"})
      if (auto content = after(line, ticked)) {
        boxes_ = true;
        begin(*content);
        current_->finished = true;
        return;
      }
    if (auto found = attribute_in(line); found && current_)
      return take(*found);
    append(line);
  }

  void begin(std::string_view content) {
    finish();
    auto& item = current_.emplace().item;
    item.line = number_;
    auto colon = content.find(':');
    auto id = content.substr(0, colon);
    auto rest = colon == std::string_view::npos ? std::string_view{}
                                                : content.substr(colon + 1);
    auto apart = rest.empty() || rest[0] == ' ' || rest[0] == '\t';
    // A title may hold a colon too, but an ID holds no blank.
    if (colon != std::string_view::npos && apart && looks_like_id(id)) {
      item.id = id;
      content = trimmed(rest);
    }
    item.title = content;
  }

  static bool looks_like_id(std::string_view id) {
    return !id.empty() && is_utf8(id)
      && id.find_first_not_of("abcdefghijklmnopqrstuvwxyz"
                              "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
      == std::string_view::npos
      && id.find_first_of("._-") != 0;
  }

  void take(const attribute& found) {
    current_->bare_heading = false;
    auto& item = current_->item;
    if (found.name == "needs") {
      for (auto& word : words_of(found.value))
        item.needs.push_back(std::move(word));
    } else if (found.name == "labels") {
      for (auto& word : words_of(found.value))
        item.labels.push_back(std::move(word));
    } else if (found.name == "agent") {
      if (found.value.empty() || !item.agent.empty())
        errors_.add(number_, "expected the name of one agent");
      item.agent = found.value;
    } else {
      auto priority = priority_of(found.value);
      if (current_->has_priority)
        errors_.add(number_, "the priority is there twice, expected one");
      else if (priority < 0)
        errors_.add(number_,
                    "the priority " + in_quotes(found.value)
                      + " is none, expected 0 (first) to 9");
      current_->has_priority = true;
      item.priority = priority;
    }
  }

  void append(std::string_view line) {
    if (!current_)
      return;
    if (!trimmed(line).empty())
      current_->bare_heading = false;
    current_->body.append(line).append("\n");
  }

  /// The present item is complete.
  void finish() {
    if (!current_)
      return;
    current_->item.body = without_blank_ends(current_->body);
    found_.push_back(std::move(*current_));
    current_.reset();
  }

  /// Without the blank lines at both ends.
  static std::string without_blank_ends(std::string_view body) {
    auto first = body.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos)
      return {};
    auto start = body.rfind('\n', first);
    body.remove_prefix(start == std::string_view::npos ? 0 : start + 1);
    auto last = body.find_last_not_of(" \t\r\n");
    body = body.substr(0, body.find('\n', last));
    if (body.back() == '\r')
      body.remove_suffix(1);
    return std::string{body};
  }

  backlog_collector& items_;
  backlog_errors& errors_;
  std::size_t number_ = 0;
  std::optional<fence> fence_;
  std::optional<entry> current_;
  std::vector<entry> found_;
  /// There are items with a box.
  bool boxes_ = false;
};

} // namespace

void read_markdown(std::string_view text, backlog_collector& items,
                   backlog_errors& errors) {
  markdown_reader{items, errors}.read(text);
}

} // namespace ao
