#include "runtime/forge/squash.hpp"

#include "runtime/git/names.hpp"

namespace ao {

std::string squash_message(const merge_note& note) {
  auto title = one_line(note.title, 160);
  if (title.empty())
    title = one_line(note.task.text);
  return title + " (" + one_line(note.change.text) + ")\n\nAo-Task: "
    + one_line(note.task.text) + "\nAo-Session: " + one_line(note.session.text)
    + "\nAo-Epoch: " + std::to_string(note.epoch) + "\n";
}

} // namespace ao
