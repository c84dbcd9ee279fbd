#include "runtime/config/check.hpp"

#include "messages/time.hpp"
#include "runtime/config/suggestion.hpp"
#include "runtime/config/value_rules.hpp"

#include <algorithm>
#include <map>

namespace ao {
namespace {

std::string quoted(std::string_view text) {
  // A novel in an error line helps nobody.
  constexpr std::size_t longest = 60;
  std::string out = "\"";
  out += text.substr(0, longest);
  return out + (text.size() > longest ? "…\"" : "\"");
}

class tree_checker {
public:
  tree_checker(const check_request& request, check_outcome& out)
      : request_(request), out_(out) {}

  void run(const tree_node& root) {
    if (root.kind != tree_kind::map) {
      report(root.at, "(document)", found(root), "a map of keys");
      return;
    }
    check_section(root, request_.pattern, {}, root.at);
  }

private:
  // -- reporting -----------------------------------------------------------

  void report(text_place at, const std::string& path, std::string message,
              std::string expected, std::string suggestion = {}) {
    out_.errors.push_back(
      {request_.file, at.line, at.column, path.empty() ? "(document)" : path,
       std::move(message), std::move(expected), std::move(suggestion)});
  }

  void note(text_place at, const std::string& path, std::string text) {
    out_.notes.push_back(
      {request_.file, at.line, at.column, path, std::move(text)});
  }

  static std::string found(const tree_node& node) {
    switch (node.kind) {
    case tree_kind::null:
      return "nothing is written here";
    case tree_kind::list:
      return "a list";
    case tree_kind::map:
      return "a map";
    case tree_kind::scalar:
      return quoted(node.text);
    }
    return {};
  }

  /// A path as the table names it and as the file writes it (aliases).
  struct key_path {
    std::string canonical;
    std::string shown;
  };

  static std::string join(const std::string& path, const std::string& name) {
    return path.empty() ? name : path + "." + name;
  }

  // -- maps ----------------------------------------------------------------

  /// The members of a map without the repeated ones, which are reported.
  std::vector<const tree_member*> members_of(const tree_node& map,
                                             const std::string& path) {
    std::vector<const tree_member*> once;
    std::map<std::string_view, text_place> seen;
    for (const auto& member : map.members) {
      auto [first, is_new] = seen.emplace(member.name, member.at);
      if (is_new)
        once.push_back(&member);
      else
        report(member.at, join(path, member.name),
               "repeated key, first at line "
                 + std::to_string(first->second.line),
               "each key once");
    }
    return once;
  }

  void check_section(const tree_node& map, const std::string& pattern,
                     const key_path& path, text_place key_at) {
    const auto& rows = request_.table->below(pattern);
    std::map<const key_row*, const tree_member*> written;
    for (const auto* member : members_of(map, path.shown)) {
      const auto* row = row_named(rows, member->name);
      if (!row) {
        unknown(*member, pattern, path.shown, rows);
        continue;
      }
      key_path below{join(path.canonical, name_of_row(*row)),
                     join(path.shown, member->name)};
      auto [other, is_new] = written.emplace(row, member);
      if (!is_new)
        report(member->at, below.shown,
               "the same key as " + other->second->name, "one of the two");
      else
        check_member(*member, *row, below);
    }
    for (const auto* row : rows)
      if (row->required && written.count(row) == 0)
        report(key_at, join(path.shown, name_of_row(*row)), "missing",
               expectation(*row));
  }

  static std::string name_of_row(const key_row& row) {
    return std::string{last_part(row.pattern)};
  }

  static const key_row* row_named(const std::vector<const key_row*>& rows,
                                  const std::string& name) {
    for (const auto* row : rows)
      if (last_part(row->pattern) == name
          || (!row->alias.empty() && row->alias == name))
        return row;
    return nullptr;
  }

  void unknown(const tree_member& member, const std::string& pattern,
               const std::string& path,
               const std::vector<const key_row*>& rows) {
    std::vector<std::string> names;
    for (const auto* row : rows)
      names.emplace_back(last_part(row->pattern));
    auto near = suggest(member.name, names);
    const auto* section = request_.table->find(pattern);
    if (section && section->open && near.empty()) {
      note(member.at, join(path, member.name),
           "ignored: not a key that ao reads");
      return;
    }
    constexpr std::size_t few = 8;
    auto expected = names.size() <= few ? or_list(names)
      : pattern.empty()                 ? "a top-level key of the configuration"
                                        : "a key of " + pattern;
    report(member.at, join(path, member.name), "unknown key", expected, near);
  }

  void check_member(const tree_member& member, const key_row& row,
                    const key_path& path) {
    const auto& value = member.value;
    checked_value out;
    out.row = &row;
    out.key_at = member.at;
    out.at = value.at;
    out.shown = path.shown;
    if (!row.alias.empty() && member.name == row.alias)
      out.alias = member.name;
    if (row.type == key_type::ignored) {
      note(member.at, path.shown, "ignored: " + row.reason);
      return;
    }
    if (value.kind == tree_kind::null && row.nullable)
      return;
    auto good = row.type == key_type::section || row.type == key_type::table
      ? check_map(value, row, path, member.at)
      : read_value(value, row, path.shown, out);
    if (good)
      out_.values[request_.prefix + path.canonical] = std::move(out);
  }

  bool check_map(const tree_node& value, const key_row& row,
                 const key_path& path, text_place key_at) {
    if (value.kind != tree_kind::map) {
      report(value.at, path.shown, found(value), "a map");
      return false;
    }
    if (row.type == key_type::section)
      check_section(value, row.pattern, path, key_at);
    else
      check_table(value, row, path);
    return true;
  }

  void check_table(const tree_node& map, const key_row& row,
                   const key_path& path) {
    const auto* entry = request_.table->find(row.pattern + ".*");
    for (const auto* member : members_of(map, path.shown)) {
      auto shown = join(path.shown, member->name);
      if (!row.words.empty()
          && std::find(row.words.begin(), row.words.end(), member->name)
            == row.words.end())
        report(member->at, shown, "unknown key", "one of " + or_list(row.words),
               suggest(member->name, row.words));
      else if (!is_identifier(member->name))
        report(member->at, shown, quoted(member->name) + " is not a name",
               "at most 50 letters, digits, _ and -");
      else
        check_member(*member, *entry,
                     {join(path.canonical, member->name), shown});
    }
  }

  // -- values --------------------------------------------------------------

  /// The text of a scalar with its variables replaced; false when there is
  /// none. `plain` tells whether it may be read as something else than text.
  bool scalar_text(const tree_node& node, const std::string& path,
                   const std::string& expected, std::string& text,
                   bool& plain) {
    if (node.kind != tree_kind::scalar) {
      report(node.at, path, found(node), expected);
      return false;
    }
    text = node.text;
    plain = !node.quoted;
    if (!request_.env)
      return true;
    auto expanded = expand(node.text, *request_.env);
    if (!expanded.unset.empty()) {
      report(node.at, path, "${" + expanded.unset + "} is not set",
             "a variable of the environment ($${" + expanded.unset
               + "} is the text itself)");
      return false;
    }
    text = expanded.text;
    plain = plain || expanded.changed;
    return true;
  }

  bool read_value(const tree_node& node, const key_row& row,
                  const std::string& path, checked_value& out) {
    switch (row.type) {
    case key_type::texts:
    case key_type::durations:
    case key_type::command:
    case key_type::inner_paths:
    case key_type::notifiers:
    case key_type::variables:
      return read_list(node, row, path, out);
    case key_type::text_map:
      return read_text_map(node, row, path, out);
    default:
      return read_scalar(node, row, path, out);
    }
  }

  bool read_scalar(const tree_node& node, const key_row& row,
                   const std::string& path, checked_value& out) {
    bool plain = true;
    bool in_ms = row.type == key_type::duration && !out.alias.empty()
      && out.alias.substr(out.alias.size() - 2) == "Ms";
    auto rule = row;
    if (in_ms)
      rule.type = key_type::millis;
    auto expected = expectation(rule);
    if (!scalar_text(node, path, expected, out.text, plain))
      return false;
    auto problem = read_text(rule, out.text, plain, out);
    if (problem.empty())
      return true;
    report(node.at, path,
           row.secret ? "a value that is wrong" : quoted(out.text) + problem,
           expected, row.secret ? "" : suggestion_for(rule, out.text));
    return false;
  }

  static std::string suggestion_for(const key_row& row,
                                    const std::string& text) {
    if (row.type == key_type::boolean)
      return suggest(text, {"true", "false"});
    return row.type == key_type::word ? suggest(text, row.words)
                                      : std::string{};
  }

  bool read_list(const tree_node& node, const key_row& row,
                 const std::string& path, checked_value& out) {
    if (node.kind != tree_kind::list) {
      report(node.at, path, found(node), expectation(row));
      return false;
    }
    if (row.type == key_type::command && node.items.empty()) {
      report(node.at, path, "an empty list", expectation(row));
      return false;
    }
    bool good = true;
    auto rule = item_rule(row);
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      const auto& item = node.items[i];
      auto item_path = path + "[" + std::to_string(i) + "]";
      // Only the program itself must not be empty, its arguments may be.
      rule.type
        = row.type == key_type::command && i > 0 ? key_type::prose : rule.type;
      checked_value one;
      if (!read_scalar(item, rule, item_path, one)) {
        good = false;
        continue;
      }
      out.items.push_back(one.text);
      out.item_places.push_back(item.at);
      out.numbers.push_back(one.number);
    }
    return good;
  }

  bool read_text_map(const tree_node& node, const key_row& row,
                     const std::string& path, checked_value& out) {
    if (node.kind != tree_kind::map) {
      report(node.at, path, found(node), expectation(row));
      return false;
    }
    bool good = true;
    auto rule = item_rule(row);
    for (const auto* member : members_of(node, path)) {
      auto item_path = join(path, member->name);
      bool env = last_part(row.pattern) == "env";
      if (env && !is_variable_name(member->name)) {
        report(member->at, item_path,
               quoted(member->name) + " is not the name of a variable",
               "letters, digits and _");
        good = false;
        continue;
      }
      checked_value one;
      if (read_scalar(member->value, rule, item_path, one))
        out.pairs.emplace_back(member->name, one.text);
      else
        good = false;
    }
    return good;
  }

  const check_request& request_;
  check_outcome& out_;
};

} // namespace

check_outcome check_tree(const tree_node& root, const check_request& request) {
  check_outcome out;
  tree_checker{request, out}.run(root);
  sort_by_place(out.errors);
  return out;
}

} // namespace ao
