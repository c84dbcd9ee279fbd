#include "runtime/config/yaml_tree.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <sstream>

namespace ao {
namespace {

/// What stops the reading; caught in read_yaml.
struct refusal {
  text_place at;
  std::string message;
  std::string expected;
};

/// Finds places in the text; yaml-cpp counts bytes, people count characters.
class line_index {
public:
  explicit line_index(std::string_view text) : text_(text) {
    for (std::size_t i = 0; i < text.size(); ++i)
      if (text[i] == '\n')
        starts_.push_back(i + 1);
  }

  std::string_view line(std::size_t n) const {
    if (n >= starts_.size())
      return {};
    auto end = text_.find('\n', starts_[n]);
    return text_.substr(starts_[n],
                        end == text_.npos ? text_.npos : end - starts_[n]);
  }

  text_place place(std::size_t line_no, std::size_t byte) const {
    auto before = line(line_no).substr(0, byte);
    auto chars = std::count_if(before.begin(), before.end(), [](char c) {
      return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    });
    return {static_cast<std::uint32_t>(line_no + 1),
            static_cast<std::uint32_t>(chars + 1)};
  }

  text_place place(const YAML::Mark& mark) const {
    if (mark.is_null() || mark.line < 0 || mark.column < 0)
      return {};
    // The end of the text may be said to be behind the last line.
    auto last = starts_.size() - 1;
    auto line_no = static_cast<std::size_t>(mark.line);
    return line_no > last
      ? place(last, line(last).size())
      : place(line_no, static_cast<std::size_t>(mark.column));
  }

  text_place place_of_offset(std::size_t offset) const {
    auto next = std::upper_bound(starts_.begin(), starts_.end(), offset);
    auto line_no = static_cast<std::size_t>(next - starts_.begin()) - 1;
    return place(line_no, offset - starts_[line_no]);
  }

  /// The text from a mark on.
  std::string_view from(const YAML::Mark& mark) const {
    if (mark.line < 0 || mark.column < 0
        || static_cast<std::size_t>(mark.line) >= starts_.size())
      return {};
    auto offset = starts_[static_cast<std::size_t>(mark.line)]
      + static_cast<std::size_t>(mark.column);
    return offset < text_.size() ? text_.substr(offset) : std::string_view{};
  }

  char at(const YAML::Mark& mark) const {
    if (mark.line < 0 || mark.column < 0)
      return '\0';
    auto text = line(static_cast<std::size_t>(mark.line));
    auto column = static_cast<std::size_t>(mark.column);
    return column < text.size() ? text[column] : '\0';
  }

private:
  std::string_view text_;
  std::vector<std::size_t> starts_ = {0};
};

/// Bytes of the UTF-8 sequence at `i`; 0 when it is not valid.
std::size_t utf8_length(std::string_view s, std::size_t i) {
  auto byte = [&](std::size_t k) {
    return k < s.size() ? static_cast<unsigned char>(s[k]) : 0u;
  };
  auto more = [&](std::size_t k) { return (byte(k) & 0xC0) == 0x80; };
  auto b = byte(i);
  if (b < 0x80)
    return 1;
  if (b >= 0xC2 && b <= 0xDF)
    return more(i + 1) ? 2 : 0;
  if (b >= 0xE0 && b <= 0xEF) {
    if (!more(i + 1) || !more(i + 2) || (b == 0xE0 && byte(i + 1) < 0xA0)
        || (b == 0xED && byte(i + 1) > 0x9F))
      return 0;
    return 3;
  }
  if (b >= 0xF0 && b <= 0xF4) {
    if (!more(i + 1) || !more(i + 2) || !more(i + 3)
        || (b == 0xF0 && byte(i + 1) < 0x90)
        || (b == 0xF4 && byte(i + 1) > 0x8F))
      return 0;
    return 4;
  }
  return 0;
}

/// Whether the quoted scalar that `text` begins with, after anchors, ends.
/// yaml-cpp lets the end of the file close it: a file cut short would pass.
bool quote_is_closed(std::string_view text) {
  while (!text.empty() && (text[0] == '&' || text[0] == '!')) {
    text.remove_prefix(std::min(text.find_first_of(" \t\r\n"), text.size()));
    text.remove_prefix(
      std::min(text.find_first_not_of(" \t\r\n"), text.size()));
  }
  if (text.empty() || (text[0] != '"' && text[0] != '\''))
    return true;
  char quote = text[0];
  for (std::size_t i = 1; i < text.size(); ++i) {
    auto escape = quote == '"' ? '\\' : '\'';
    if (text[i] == escape && (quote == '"' || text.substr(i, 2) == "''"))
      ++i;
    else if (text[i] == quote)
      return true;
  }
  return false;
}

// yaml-cpp ends the stream at a 0x04 and guesses encodings from NULs: neither
// may reach it.
void refuse_bad_bytes(std::string_view text, const line_index& lines) {
  for (std::size_t i = 0; i < text.size();) {
    auto c = static_cast<unsigned char>(text[i]);
    if (c == 0)
      throw refusal{lines.place_of_offset(i), "a NUL byte", "text"};
    bool plain_return
      = c == '\r' && (i + 1 == text.size() || text[i + 1] != '\n');
    if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f
        || plain_return) {
      std::ostringstream code;
      code << "a control character (0x" << std::hex << unsigned{c} << ")";
      throw refusal{lines.place_of_offset(i), code.str(), "text"};
    }
    auto length = utf8_length(text, i);
    if (length == 0)
      throw refusal{lines.place_of_offset(i), "invalid UTF-8", "UTF-8"};
    i += length;
  }
}

/// Builds the tree from yaml-cpp's events; its own node graph would resolve
/// duplicates silently.
class tree_builder : public YAML::EventHandler {
public:
  explicit tree_builder(const line_index& lines) : lines_(lines) {}

  tree_node take() { return std::move(root_); }
  bool empty() const { return !has_root_; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0)
      throw refusal{lines_.place(mark), "a second document", "one document"};
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    tree_node node;
    node.at = lines_.place(mark);
    // An absent value has the place of its key, a written one (~) its own.
    auto c = lines_.at(mark);
    bool written = c == '~' || c == 'n' || c == 'N';
    bool in_map = !open_.empty() && open_.back().node.kind == tree_kind::map;
    if (!written && in_map && open_.back().has_name)
      node.at = open_.back().node.members.back().at;
    add(std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    auto at = anchors_.find(anchor);
    if (at == anchors_.end())
      throw refusal{lines_.place(mark), "an alias inside its own value",
                    "an alias of a value before it"};
    count(at->second.size, mark);
    check_depth(open_.size() + at->second.height, lines_.place(mark));
    // Copied first: add() may grow the map that holds the original.
    auto copy = at->second;
    copy.node.at = lines_.place(mark);
    place_value(std::move(copy));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag,
                YAML::anchor_t anchor, const std::string& value) override {
    refuse_tag(mark, tag);
    tree_node node;
    node.kind = tree_kind::scalar;
    node.at = lines_.place(mark);
    node.text = value;
    node.quoted = tag == "!";
    if (node.quoted && !quote_is_closed(lines_.from(mark)))
      throw refusal{node.at, "a quote that is never closed",
                    "the closing quote"};
    add(std::move(node), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag,
                       YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    start(tree_kind::list, mark, tag, anchor);
  }
  void OnSequenceEnd() override { finish(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag,
                  YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
    start(tree_kind::map, mark, tag, anchor);
  }
  void OnMapEnd() override { finish(); }

private:
  /// A finished value with what an alias of it costs.
  struct measured {
    tree_node node;
    std::size_t size = 1;
    std::size_t height = 0;
  };

  /// A list or map that is not finished.
  struct opened {
    tree_node node;
    YAML::anchor_t anchor = YAML::NullAnchor;
    bool has_name = false;
    std::size_t size = 1;
    std::size_t height = 1;
  };

  void refuse_tag(const YAML::Mark& mark, const std::string& tag) const {
    if (!tag.empty() && tag != "?" && tag != "!")
      throw refusal{lines_.place(mark), "a YAML tag", "a value without tag"};
  }

  void count(std::size_t nodes, const YAML::Mark& mark) {
    nodes_ += nodes;
    if (nodes_ > max_tree_nodes)
      throw refusal{lines_.place(mark),
                    "more than " + std::to_string(max_tree_nodes) + " values",
                    "fewer"};
  }

  static void check_depth(std::size_t depth, text_place at) {
    if (depth > max_tree_depth)
      throw refusal{
        at, "nested deeper than " + std::to_string(max_tree_depth) + " levels",
        "less nesting"};
  }

  void start(tree_kind kind, const YAML::Mark& mark, const std::string& tag,
             YAML::anchor_t anchor) {
    refuse_tag(mark, tag);
    count(1, mark);
    opened frame;
    frame.node.kind = kind;
    frame.node.at = lines_.place(mark);
    frame.anchor = anchor;
    refuse_as_key(frame.node.at);
    open_.push_back(std::move(frame));
    check_depth(open_.size(), open_.back().node.at);
  }

  void refuse_as_key(text_place at) const {
    if (!open_.empty() && open_.back().node.kind == tree_kind::map
        && !open_.back().has_name)
      throw refusal{at, "a key that is no text", "a name"};
  }

  void finish() {
    auto frame = std::move(open_.back());
    open_.pop_back();
    measured value{std::move(frame.node), frame.size, frame.height};
    if (frame.anchor != YAML::NullAnchor)
      anchors_[frame.anchor] = value;
    place_value(std::move(value));
  }

  void add(tree_node node, YAML::anchor_t anchor) {
    if (++nodes_ > max_tree_nodes)
      throw refusal{node.at,
                    "more than " + std::to_string(max_tree_nodes) + " values",
                    "fewer"};
    measured value{std::move(node)};
    if (anchor != YAML::NullAnchor)
      anchors_[anchor] = value;
    place_value(std::move(value));
  }

  void place_value(measured value) {
    if (open_.empty()) {
      root_ = std::move(value.node);
      has_root_ = true;
      return;
    }
    auto& into = open_.back();
    into.size += value.size;
    into.height = std::max(into.height, value.height + 1);
    if (into.node.kind == tree_kind::list) {
      into.node.items.push_back(std::move(value.node));
    } else if (into.has_name) {
      into.node.members.back().value = std::move(value.node);
      into.has_name = false;
    } else {
      if (value.node.kind != tree_kind::scalar)
        throw refusal{value.node.at, "a key that is no text", "a name"};
      into.node.members.push_back(
        {std::move(value.node.text), value.node.at, {}});
      into.has_name = true;
    }
  }

  const line_index& lines_;
  tree_node root_;
  bool has_root_ = false;
  int documents_ = 0;
  std::size_t nodes_ = 0;
  std::vector<opened> open_;
  std::map<YAML::anchor_t, measured> anchors_;
};

/// A tab in the indentation of the line where the parser stopped is the
/// cause that people cannot see.
refusal explain(const YAML::Exception& e, const line_index& lines) {
  auto line_no = e.mark.is_null() || e.mark.line < 0
    ? std::size_t{0}
    : static_cast<std::size_t>(e.mark.line);
  auto line = lines.line(line_no);
  auto indent = line.substr(0, line.find_first_not_of(" \t"));
  auto tab = indent.find('\t');
  if (tab != indent.npos)
    return {lines.place(line_no, tab), "a tab in the indentation", "spaces"};
  auto message = e.msg;
  if (!message.empty())
    message[0]
      = static_cast<char>(std::tolower(static_cast<unsigned char>(message[0])));
  return {lines.place(e.mark), "no YAML: " + message, "valid YAML"};
}

tree_node read_document(std::string_view text, const line_index& lines) {
  if (text.size() > max_tree_bytes)
    throw refusal{{},
                  std::to_string(text.size()) + " bytes",
                  "at most " + std::to_string(max_tree_bytes) + " bytes"};
  refuse_bad_bytes(text, lines);
  tree_builder builder{lines};
  try {
    std::istringstream stream{std::string{text}};
    YAML::Parser parser{stream};
    while (parser.HandleNextDocument(builder)) {
      // The builder itself refuses a second one.
    }
  } catch (const YAML::Exception& e) {
    throw explain(e, lines);
  }
  auto root = builder.take();
  if (builder.empty() || root.kind == tree_kind::null)
    throw refusal{{}, "nothing is written here", "a map of keys"};
  return root;
}

} // namespace

tree_outcome read_yaml(std::string_view text, const std::string& file) {
  tree_outcome out;
  constexpr std::string_view bom = "\xEF\xBB\xBF";
  if (text.substr(0, bom.size()) == bom)
    text.remove_prefix(bom.size());
  line_index lines{text};
  try {
    out.root = read_document(text, lines);
  } catch (const refusal& r) {
    out.errors.push_back(
      {file, r.at.line, r.at.column, "(document)", r.message, r.expected, {}});
  }
  return out;
}

} // namespace ao
