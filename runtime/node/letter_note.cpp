#include "runtime/node/letter_note.hpp"

#include "messages/json.hpp"
#include "runtime/home/files.hpp"

#include <filesystem>

namespace ao {
namespace {

result<std::string> path_of(const std::string& session_dir,
                            const message_id& id) {
  for (char c : id.text)
    if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z')))
      return fail(ec::bad_input, "no id of a message: " + id.text);
  if (id.empty() || id.text.size() > 64)
    return fail(ec::bad_input, "no id of a message: " + id.text);
  return session_dir + "/in/" + id.text;
}

} // namespace

result<void> write_note(const std::string& session_dir,
                        const letter_note& note) {
  auto path = path_of(session_dir, note.message);
  if (!path)
    return fail(path.error());
  return write_file_durably(*path,
                            dump(json{{"message", note.message.text},
                                      {"run", note.run},
                                      {"state", to_string(note.state)},
                                      {"detail", note.detail},
                                      {"at", format_time(wall_now())}}));
}

result<std::optional<letter_note>> read_note(const std::string& session_dir,
                                             const message_id& id) {
  auto path = path_of(session_dir, id);
  if (!path)
    return fail(path.error());
  std::error_code problem;
  if (!std::filesystem::exists(*path, problem))
    return std::optional<letter_note>{};
  auto text = read_file(*path);
  if (!text)
    return fail(text.error());
  auto in = parse_json(*text, *path);
  if (!in)
    return fail(in.error());
  try {
    letter_note note;
    note.message = id;
    note.run = in->at("run").get<run_no>();
    auto state = message_state_from(in->at("state").get<std::string>());
    note.detail = in->at("detail").get<std::string>();
    if (!state)
      return fail(ec::bad_input, *path + ": unknown state");
    note.state = *state;
    return note;
  } catch (const json::exception& e) {
    return fail(ec::bad_input, *path + ": " + e.what());
  }
}

result<void> remove_note(const std::string& session_dir, const message_id& id) {
  auto path = path_of(session_dir, id);
  if (!path)
    return fail(path.error());
  std::error_code problem;
  std::filesystem::remove(*path, problem);
  if (problem)
    return fail(ec::home_unusable, *path + ": " + problem.message());
  return {};
}

} // namespace ao
