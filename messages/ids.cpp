#include "messages/ids.hpp"

#include <charconv>

namespace ao {

std::uint64_t number_of(const task_id& id) {
  const auto& text = id.text;
  if (text.size() < 2 || text[0] != 'T' || text[1] == '0')
    return 0;
  std::uint64_t n = 0;
  const auto* end = text.data() + text.size();
  auto [stop, problem] = std::from_chars(text.data() + 1, end, n);
  return problem == std::errc{} && stop == end ? n : 0;
}

task_id make_task_id(std::uint64_t n) {
  return task_id{"T" + std::to_string(n)};
}

change_id make_change_id(const project_id& project, std::uint64_t n) {
  return change_id{project.text + "#" + std::to_string(n)};
}

} // namespace ao
