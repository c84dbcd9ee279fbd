#include "runtime/config/yaml_edit.hpp"

#include "runtime/config/yaml_layout.hpp"
#include "runtime/config/yaml_tree.hpp"

#include <algorithm>

namespace ao {
namespace {

constexpr std::string_view bom = "\xEF\xBB\xBF";

/// Whether two trees say the same, wherever it stands.
bool same(const tree_node& a, const tree_node& b) {
  return a.kind == b.kind && a.text == b.text
    && std::equal(a.items.begin(), a.items.end(), b.items.begin(),
                  b.items.end(), same)
    && std::equal(a.members.begin(), a.members.end(), b.members.begin(),
                  b.members.end(), [](const auto& x, const auto& y) {
                    return x.name == y.name && same(x.value, y.value);
                  });
}

template <class Node>
auto* member_of(Node& node, const std::string& name) {
  auto at = std::find_if(node.members.begin(), node.members.end(),
                         [&](const auto& m) { return m.name == name; });
  return at == node.members.end() ? nullptr : &*at;
}

tree_node text_node(const std::string& text) {
  tree_node out;
  out.kind = tree_kind::scalar;
  out.text = text;
  return out;
}

tree_node list_node(const std::vector<std::string>& items) {
  tree_node out;
  out.kind = tree_kind::list;
  for (const auto& item : items)
    out.items.push_back(text_node(item));
  return out;
}

/// The node at `path`, made where it is missing.
tree_node& node_at(tree_node& root, const yaml_path& path) {
  auto* node = &root;
  for (const auto& name : path) {
    if (node->kind == tree_kind::null)
      node->kind = tree_kind::map;
    if (!member_of(*node, name))
      node->members.push_back({name, {}, {}});
    node = &member_of(*node, name)->value;
  }
  return *node;
}

/// As YAML: bare where that is surely the same text.
std::string rendered(const std::string& text) {
  auto bare = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')
      || (c >= 'A' && c <= 'Z') || c == '_' || c == '-' || c == '.' || c == '/'
      || c == ':';
  };
  auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '/';
  };
  static const char* words[]
    = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"};
  auto word = std::any_of(std::begin(words), std::end(words),
                          [&](const char* x) { return text == x; });
  if (!text.empty() && letter(text.front()) && text.back() != ':' && !word
      && std::all_of(text.begin(), text.end(), bare))
    return text;
  std::string out = "\"";
  for (auto c : text) {
    if (c == '"' || c == '\\')
      out += '\\';
    out += c;
  }
  return out + '"';
}

std::string rendered(const std::vector<std::string>& items) {
  std::string out = "[";
  for (const auto& item : items)
    out += (out.size() > 1 ? ", " : "") + rendered(item);
  return out + "]";
}

/// How far a path leads.
struct spot {
  const tree_node* node = nullptr;
  const tree_member* member = nullptr;
  std::size_t depth = 0;
  /// It is in brackets.
  bool flow = false;
};

/// A text that is read, and one change of it.
class editor {
public:
  editor(const std::string& yaml, const yaml_path& path)
      : front_(yaml.compare(0, bom.size(), bom) == 0 ? bom.size() : 0),
        whole_(yaml),
        text_(std::string_view{yaml}.substr(front_)),
        layout_(text_),
        path_(path) {
    auto read = read_yaml(text_, "");
    root_ = std::move(read.root);
    for (const auto& e : read.errors)
      if (e.message != nothing_written)
        trouble_ = e;
    auto newline = text_.find('\n');
    if (newline != text_.npos && newline > 0 && text_[newline - 1] == '\r')
      newline_ = "\r\n";
    find();
  }

  /// Why it cannot be edited at all.
  result<void> usable() const {
    if (!trouble_)
      return {};
    return fail(ec::bad_input,
                std::to_string(trouble_->line) + ":"
                  + std::to_string(trouble_->column) + ": " + trouble_->message
                  + ", expected " + trouble_->expected);
  }

  bool found() const { return at_.depth == path_.size(); }
  const tree_node& value() const { return *at_.node; }

  /// What is written: `leaf`, already as YAML, which reads as `meant`.
  result<std::string> put(const std::string& leaf, const tree_node& meant) {
    node_at(wanted_ = root_, path_) = meant;
    if (!found())
      return insert(leaf);
    if (absent())
      return put_behind_colon(leaf);
    auto span = value().kind == tree_kind::scalar
      ? layout_.scalar(value(), at_.flow)
      : std::nullopt;
    return span ? replace(*span, leaf) : refuse();
  }

  result<std::string> add_item(const std::string& item) {
    wanted_ = root_;
    node_at(wanted_, path_).items.push_back(text_node(item));
    if (layout_.is_flow(value()))
      return add_in_brackets(value(), rendered(item));
    if (!layout_.value_offset(value()) || value().items.empty())
      return refuse();
    auto line = value().items.back().at.line - 1;
    auto indent = layout_.indent_of_line(line);
    if (layout_.line(line).substr(indent, 2) != "- ")
      return refuse();
    return add_lines(layout_.last_line(line, indent, false),
                     std::string(indent, ' ') + "- " + rendered(item));
  }

  result<std::string> remove_item(std::size_t number) {
    wanted_ = root_;
    auto& items = node_at(wanted_, path_).items;
    items.erase(items.begin() + static_cast<std::ptrdiff_t>(number));
    const auto& item = value().items[number];
    auto flow = layout_.is_flow(value());
    auto span = layout_.scalar(item, flow);
    if (!span)
      return refuse();
    if (flow)
      return cut_in_brackets(*span);
    auto line = item.at.line - 1;
    auto out = cut_line(line);
    if (value().items.size() > 1)
      return proven(out);
    auto colon = layout_.after_colon(at_.member->at);
    if (!colon || *colon > layout_.line_start(line))
      return refuse();
    return proven(out.insert(*colon, " []"));
  }

  result<std::string> remove() {
    wanted_ = root_;
    auto parent = path_;
    parent.pop_back();
    auto& members = node_at(wanted_, parent).members;
    members.erase(std::find_if(members.begin(), members.end(), [&](auto& m) {
      return m.name == path_.back();
    }));
    auto begin = layout_.offset(at_.member->at);
    auto end = layout_.after_colon(at_.member->at);
    if (!absent()) {
      auto span = value().kind == tree_kind::scalar
        ? layout_.scalar(value(), at_.flow)
        : std::nullopt;
      end = span ? std::optional<std::size_t>{span->end} : std::nullopt;
    }
    if (!end)
      return refuse();
    if (at_.flow)
      return cut_in_brackets({begin, *end});
    auto line = at_.member->at.line - 1;
    if (value().at.line - 1 != line)
      return refuse();
    return proven(cut_line(line));
  }

private:
  static constexpr std::string_view nothing_written = "nothing is written here";

  void find() {
    at_.node = &root_;
    at_.flow = root_.kind == tree_kind::map && layout_.is_flow(root_);
    for (const auto& name : path_) {
      const auto* member = member_of(*at_.node, name);
      if (!member)
        return;
      at_.member = member;
      at_.node = &member->value;
      ++at_.depth;
      if (at_.depth < path_.size() && value().kind == tree_kind::map)
        at_.flow = at_.flow || layout_.is_flow(value());
    }
  }

  /// A key without a value: that has the place of the key.
  bool absent() const {
    return value().kind == tree_kind::null && at_.member
      && value().at == at_.member->at;
  }

  result<std::string> refuse() const {
    auto at = at_.member ? at_.member->at : text_place{};
    std::string name;
    for (const auto& part : path_)
      name += (name.empty() ? "" : ".") + part;
    return fail(ec::bad_input,
                std::to_string(at.line) + ":" + std::to_string(at.column) + ": "
                  + name
                  + ": cannot be changed here without changing anything else");
  }

  /// The text if it says exactly what is wanted.
  result<std::string> proven(const std::string& text) const {
    auto read = read_yaml(text, "");
    if (!read.errors.empty() || !same(read.root, wanted_))
      return refuse();
    return whole_.substr(0, front_) + text;
  }

  result<std::string> replace(yaml_span span, const std::string& by) const {
    auto out = std::string{text_};
    return proven(out.replace(span.begin, span.end - span.begin, by));
  }

  result<std::string> put_behind_colon(const std::string& leaf) const {
    auto colon = layout_.after_colon(at_.member->at);
    return colon ? replace({*colon, *colon}, " " + leaf) : refuse();
  }

  /// The rest of the path, made where it ends.
  result<std::string> insert(const std::string& leaf) const {
    const auto& into = value();
    auto is_map = into.kind == tree_kind::map;
    if (is_map && (at_.flow || layout_.is_flow(into)))
      return add_in_brackets(into, in_brackets(leaf));
    if (!at_.member && into.kind == tree_kind::null)
      return add_lines(layout_.line_count() - 1, in_lines(0, leaf));
    if (absent() && !at_.flow) {
      auto line = at_.member->at.line - 1;
      return add_lines(line, in_lines(layout_.indent_of_line(line) + 2, leaf));
    }
    if (!is_map || !layout_.value_offset(into))
      return refuse();
    auto indent = layout_.indent_of_line(into.members.front().at.line - 1);
    if (indent + 1 != into.members.front().at.column)
      return refuse();
    auto last
      = layout_.last_line(into.members.back().at.line - 1, indent, true);
    return add_lines(last, in_lines(indent, leaf));
  }

  std::string in_brackets(const std::string& leaf) const {
    std::string out;
    for (auto i = at_.depth; i < path_.size(); ++i)
      out += (i == at_.depth ? "" : "{") + rendered(path_[i]) + ": ";
    return out + leaf + std::string(path_.size() - at_.depth - 1, '}');
  }

  std::string in_lines(std::size_t indent, const std::string& leaf) const {
    std::string out;
    for (auto i = at_.depth; i < path_.size(); ++i, indent += 2)
      out += (i == at_.depth ? "" : newline_) + std::string(indent, ' ')
        + rendered(path_[i]) + ":";
    return out + " " + leaf;
  }

  result<std::string> add_in_brackets(const tree_node& into,
                                      const std::string& what) const {
    auto open = layout_.value_offset(into);
    auto last = open ? layout_.last_in_flow(*open) : std::nullopt;
    if (!last)
      return refuse();
    auto front = *last == *open ? "" : text_[*last] == ',' ? " " : ", ";
    return replace({*last + 1, *last + 1}, front + what);
  }

  result<std::string> cut_in_brackets(yaml_span span) const {
    auto next = text_.find_first_not_of(" \t\r\n", span.end);
    auto before = text_.find_last_not_of(" \t\r\n", span.begin - 1);
    if (next != text_.npos && text_[next] == ',')
      span.end = std::min(text_.find_first_not_of(' ', next + 1), text_.size());
    else if (before != text_.npos && text_[before] == ',')
      span.begin = before;
    return replace(span, "");
  }

  std::string cut_line(std::size_t line) const {
    auto begin = layout_.line_start(line);
    auto out = std::string{text_};
    return out.erase(begin, layout_.line_start(line + 1) - begin);
  }

  result<std::string> add_lines(std::size_t behind,
                                const std::string& lines) const {
    auto at = layout_.line_start(behind + 1);
    auto front = at > 0 && text_[at - 1] != '\n' ? newline_ : std::string{};
    return replace({at, at}, front + lines + newline_);
  }

  std::size_t front_;
  const std::string& whole_;
  std::string_view text_;
  yaml_layout layout_;
  yaml_path path_;
  std::string newline_ = "\n";
  tree_node root_;
  tree_node wanted_;
  std::optional<config_error> trouble_;
  spot at_;
};

} // namespace

std::optional<std::string> yaml_text_at(const std::string& yaml,
                                        const yaml_path& path) {
  editor now{yaml, path};
  if (!now.usable() || !now.found() || now.value().kind != tree_kind::scalar)
    return std::nullopt;
  return now.value().text;
}

result<std::string> put_yaml_text(const std::string& yaml,
                                  const yaml_path& path,
                                  const std::string& value) {
  editor now{yaml, path};
  if (auto ok = now.usable(); !ok)
    return fail(ok.error());
  auto meant = text_node(value);
  if (now.found() && same(now.value(), meant))
    return yaml;
  return now.put(rendered(value), meant);
}

result<std::string> put_yaml_list(const std::string& yaml,
                                  const yaml_path& path,
                                  const std::vector<std::string>& items) {
  editor now{yaml, path};
  if (auto ok = now.usable(); !ok)
    return fail(ok.error());
  if (!now.found() || now.value().kind != tree_kind::list)
    return now.put(rendered(items), list_node(items));
  const auto& have = now.value().items;
  auto again = [&](const result<std::string>& changed) -> result<std::string> {
    return changed ? put_yaml_list(*changed, path, items) : changed;
  };
  for (std::size_t i = 0; i < have.size(); ++i)
    if (std::find(items.begin(), items.end(), have[i].text) == items.end())
      return again(now.remove_item(i));
  for (const auto& item : items)
    if (std::none_of(have.begin(), have.end(),
                     [&](const auto& x) { return x.text == item; }))
      return again(now.add_item(item));
  return yaml;
}

result<std::string> remove_yaml_key(const std::string& yaml,
                                    const yaml_path& path) {
  editor now{yaml, path};
  if (auto ok = now.usable(); !ok)
    return fail(ok.error());
  return now.found() ? now.remove() : result<std::string>{yaml};
}

} // namespace ao
