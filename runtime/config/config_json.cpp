#include "runtime/config/config_json.hpp"

namespace ao {
namespace {

using json = nlohmann::ordered_json;

constexpr auto variable_pattern = "\\$\\{[A-Za-z_][A-Za-z0-9_]*\\}";
constexpr auto duration_pattern = "^[0-9]+(ms|s|m|h|d)$";

json text_schema(const char* pattern = nullptr) {
  json out{{"type", "string"}};
  if (pattern)
    out["pattern"] = pattern;
  return out;
}

json list_of(json item) {
  return {{"type", "array"}, {"items", std::move(item)}};
}

json number_schema(const key_row& row, const char* type) {
  json out{{"type", type}};
  auto limit = [&](const char* name, double x) {
    if (row.type == key_type::number)
      out[name] = x;
    else
      out[name] = static_cast<std::int64_t>(x);
  };
  limit("minimum", row.least.value_or(0));
  if (row.greatest)
    limit("maximum", *row.greatest);
  return out;
}

json value_schema(const key_row& row) {
  switch (row.type) {
  case key_type::boolean:
    return {{"type", "boolean"}};
  case key_type::integer:
  case key_type::millis:
    return number_schema(row, "integer");
  case key_type::number:
    return number_schema(row, "number");
  case key_type::word:
    return {{"enum", row.words}};
  case key_type::duration:
    return text_schema(duration_pattern);
  case key_type::durations:
    return list_of(text_schema(duration_pattern));
  case key_type::size:
    return text_schema("^[0-9]+(B|KiB|MiB|GiB)$");
  case key_type::texts:
  case key_type::inner_paths:
  case key_type::notifiers:
  case key_type::variables:
    return list_of(text_schema());
  case key_type::command: {
    auto out = list_of(text_schema());
    out["minItems"] = 1;
    return out;
  }
  case key_type::text_map:
    return {
      {"type", "object"},
      {"additionalProperties", {{"type", {"string", "number", "boolean"}}}}};
  case key_type::url:
    return text_schema("^https?://");
  case key_type::identifier:
    return text_schema("^[A-Za-z0-9_][A-Za-z0-9_-]*$");
  case key_type::tries_or_duration:
    return {{"type", {"integer", "string"}}};
  case key_type::ignored:
    return json::object();
  case key_type::text:
    // Numbers are read as text: `to: 123`.
    return {{"type", {"string", "number"}}};
  default:
    return text_schema();
  }
}

/// The values that are no text may be a variable all the same.
json or_variable(const key_row& row, json schema) {
  switch (row.type) {
  case key_type::boolean:
  case key_type::integer:
  case key_type::millis:
  case key_type::number:
  case key_type::word:
  case key_type::duration:
  case key_type::size:
  case key_type::url:
  case key_type::identifier:
    return {{"anyOf", {std::move(schema), text_schema(variable_pattern)}}};
  default:
    return schema;
  }
}

json row_schema(const key_table& table, const key_row& row);

json section_schema(const key_table& table, const std::string& pattern,
                    bool open) {
  json out{{"type", "object"}};
  json required = json::array();
  auto& properties = out["properties"];
  properties = json::object();
  for (const auto* row : table.below(pattern)) {
    std::string name{last_part(row->pattern)};
    properties[name] = row_schema(table, *row);
    if (!row->alias.empty()) {
      auto alias = row_schema(table, *row);
      bool ms = row->alias.size() > 2
        && row->alias.substr(row->alias.size() - 2) == "Ms";
      if (ms)
        alias["anyOf"][0] = {{"type", "integer"}, {"minimum", 0}};
      alias["description"] = "The original's name of " + name + ".";
      properties[row->alias] = std::move(alias);
    }
    // A key with two names cannot be required by either of them.
    if (row->required && row->alias.empty())
      required.push_back(name);
  }
  if (!required.empty())
    out["required"] = std::move(required);
  out["additionalProperties"] = open;
  return out;
}

json row_schema(const key_table& table, const key_row& row) {
  json out;
  if (row.type == key_type::section) {
    out = section_schema(table, row.pattern, row.open);
  } else if (row.type == key_type::table) {
    auto entry = row_schema(table, *table.find(row.pattern + ".*"));
    out = {{"type", "object"},
           {"propertyNames", {{"pattern", "^[A-Za-z0-9_][A-Za-z0-9_-]*$"}}},
           {"additionalProperties", std::move(entry)}};
    if (!row.words.empty())
      out["propertyNames"] = {{"enum", row.words}};
  } else {
    out = or_variable(row, value_schema(row));
    if (row.nullable)
      out = {{"anyOf", {std::move(out), {{"type", "null"}}}}};
  }
  out["description"] = row.doc;
  if (!row.fallback.empty())
    out["x-default"] = row.fallback;
  return out;
}

} // namespace

json check_report(const config_outcome& outcome) {
  json errors = json::array();
  for (const auto& e : outcome.errors)
    errors.push_back(
      {{"file", e.file},
       {"line", e.line},
       {"column", e.column},
       {"key", e.key},
       {"message", e.message},
       {"expected", e.expected},
       {"suggestion",
        e.suggestion.empty() ? json(nullptr) : json(e.suggestion)}});
  json notes = json::array();
  for (const auto& n : outcome.notes)
    notes.push_back({{"file", n.file},
                     {"line", n.line},
                     {"column", n.column},
                     {"key", n.key},
                     {"text", n.text}});
  return {{"valid", outcome.errors.empty()},
          {"file", outcome.file},
          {"errors", std::move(errors)},
          {"notes", std::move(notes)}};
}

json show_report(const config_outcome& outcome) {
  json data = json::array();
  for (const auto& v : outcome.shown)
    data.push_back({{"key", v.key},
                    {"value", v.value},
                    {"source", v.source},
                    {"takesEffect", to_string(v.effect)}});
  return {{"data", std::move(data)}};
}

json config_schema(const key_table& table) {
  json out{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
           {"title", "Configuration of ao"}};
  out.update(section_schema(table, "", false));
  return out;
}

} // namespace ao
