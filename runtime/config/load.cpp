#include "runtime/config/load.hpp"

#include "runtime/config/bind.hpp"
#include "runtime/config/check.hpp"
#include "runtime/config/show.hpp"
#include "runtime/config/yaml_tree.hpp"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>

namespace ao {
namespace {

namespace fs = std::filesystem;

bool has_row(const std::string& pattern, const std::string& name) {
  const auto& rows = config_keys().below(pattern);
  return std::any_of(rows.begin(), rows.end(), [&](const key_row* row) {
    return last_part(row->pattern) == name || row->alias == name;
  });
}

/// The original's flat shape: the keys of one project at the top of a file
/// inside its checkout. Told by what it has and what it cannot have.
bool is_flat(const tree_node& root) {
  bool of_project = false;
  for (const auto& member : root.members) {
    bool top = has_row("", member.name);
    bool project = has_row("projects.*", member.name);
    if (top && !project)
      return false;
    of_project = of_project || (project && !top);
  }
  return of_project;
}

/// The id of a flat file's project: what derive_config would call it.
std::string flat_project_id(const fs::path& directory) {
  repository_facts facts;
  facts.path = directory;
  return derive_config(facts, {}).value->projects.begin()->first.text;
}

fs::path directory_of(const fs::path& file) {
  std::error_code problem;
  auto absolute = fs::absolute(file, problem);
  return (problem ? file : absolute).lexically_normal().parent_path();
}

check_outcome check_shape(const tree_node& root, check_request request,
                          const std::string& flat) {
  if (flat.empty())
    return check_tree(root, request);
  request.pattern = "projects.*";
  request.prefix = "projects." + flat + ".";
  auto checked = check_tree(root, request);
  // The file is inside the checkout, so its place says the path.
  auto& errors = checked.errors;
  errors.erase(std::remove_if(errors.begin(), errors.end(),
                              [](const config_error& e) {
                                return e.key == "path"
                                  && e.message == "missing";
                              }),
               errors.end());
  return checked;
}

config_outcome refused(const std::string& file, const std::string& message,
                       const std::string& expected) {
  config_outcome out;
  out.file = file;
  out.errors.push_back({file, 1, 1, "(document)", message, expected, {}});
  return out;
}

bool is_file(const fs::path& path) {
  std::error_code problem;
  return fs::is_regular_file(path, problem);
}

} // namespace

config_outcome read_config(const std::string& text, const fs::path& file,
                           const env_lookup& env) {
  config_outcome out;
  out.file = file.string();
  auto tree = read_yaml(text, out.file);
  out.errors = std::move(tree.errors);
  if (!out.errors.empty())
    return out;
  auto directory = directory_of(file);
  bool flat = tree.root.kind == tree_kind::map && is_flat(tree.root);
  auto project = flat ? flat_project_id(directory) : std::string{};
  check_request request;
  request.table = &config_keys();
  request.file = out.file;
  request.env = &env;
  auto checked = check_shape(tree.root, request, project);
  auto all = bind_settings(checked, {out.file, directory, &env, project});
  sort_by_place(checked.errors);
  out.errors = std::move(checked.errors);
  out.notes = std::move(checked.notes);
  if (!out.errors.empty())
    return out;
  all.path = file;
  out.shown = show_config(all, checked.values, out.file);
  out.value = std::move(all);
  return out;
}

config_outcome load_config(const fs::path& file, const env_lookup& env) {
  std::error_code problem;
  auto name = file.string();
  if (fs::is_directory(file, problem))
    return refused(name, "is a directory", "a file");
  errno = 0;
  std::ifstream in{file, std::ios::binary};
  if (!in)
    return refused(name,
                   "cannot be read: "
                     + std::generic_category().message(errno ? errno : EIO),
                   "a readable file");
  // One byte over the limit is enough to be refused by it.
  std::string text(max_tree_bytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad())
    return refused(name, "cannot be read: input/output error",
                   "a readable file");
  text.resize(static_cast<std::size_t>(in.gcount()));
  return read_config(text, file, env);
}

std::optional<fs::path> find_config(const fs::path& cwd, const env_lookup& env,
                                    const fs::path& home) {
  auto named = env("AO_CONFIG_PATH");
  if (named && !named->empty())
    return fs::path{*named};
  for (auto directory = cwd.lexically_normal();;) {
    for (auto name :
         {"ao.yaml", "agent-orchestrator.yaml", "agent-orchestrator.yml"})
      if (is_file(directory / name))
        return directory / name;
    auto parent = directory.parent_path();
    if (parent == directory || parent.empty())
      break;
    directory = parent;
  }
  auto last = home / "config.yaml";
  return is_file(last) ? std::optional<fs::path>{last} : std::nullopt;
}

} // namespace ao
