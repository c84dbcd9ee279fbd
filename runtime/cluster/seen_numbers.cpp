#include "runtime/cluster/seen_numbers.hpp"

#include "messages/json.hpp"
#include "runtime/home/files.hpp"

#include <charconv>
#include <filesystem>

namespace ao {
namespace {

/// `app-12` is the twelfth of `app`; 0 where that is no such name.
std::uint64_t number_in(const session_id& id, std::string& prefix) {
  auto dash = id.text.rfind('-');
  if (dash == std::string::npos)
    return 0;
  std::uint64_t out = 0;
  const auto* end = id.text.data() + id.text.size();
  auto read = std::from_chars(id.text.data() + dash + 1, end, out);
  if (read.ec != std::errc{} || read.ptr != end)
    return 0;
  prefix = id.text.substr(0, dash);
  return out;
}

bool raise(std::map<std::string, std::uint64_t>& all, const std::string& name,
           std::uint64_t to) {
  if (to == 0)
    return false;
  auto& known = all[name];
  if (known >= to)
    return false;
  known = to;
  return true;
}

std::vector<msg::seen_number>
listed(const std::map<std::string, std::uint64_t>& all) {
  std::vector<msg::seen_number> out;
  for (const auto& [of, highest] : all)
    out.push_back({of, highest});
  return out;
}

} // namespace

bool seen_numbers::take_in(const msg::session_spec& spec, numbers& epochs,
                           numbers& sessions) {
  auto fresh = !spec.task.empty() && raise(epochs, spec.task.text, spec.epoch);
  std::string prefix;
  auto number = number_in(spec.session, prefix);
  return raise(sessions, prefix, number) || fresh;
}

result<std::shared_ptr<seen_numbers>>
seen_numbers::open(const home& place,
                   const std::vector<msg::session_spec>& known) {
  std::shared_ptr<seen_numbers> out{
    new seen_numbers{place.root() + "/seen.json"}};
  std::error_code ignored;
  if (std::filesystem::exists(out->path_, ignored)) {
    auto text = read_file(out->path_);
    if (!text)
      return fail(text.error());
    try {
      auto in = json::parse(*text);
      in.at("epochs").get_to(out->epochs_);
      in.at("sessions").get_to(out->sessions_);
    } catch (const json::exception& e) {
      return fail(ec::bad_input, out->path_ + ": " + e.what());
    }
  }
  for (const auto& spec : known)
    (void)take_in(spec, out->epochs_, out->sessions_);
  return out;
}

bool seen_numbers::is_new(const msg::session_spec& spec) const {
  std::lock_guard<std::mutex> guard{mutex_};
  auto epochs = epochs_.find(spec.task.text);
  std::string prefix;
  auto number = number_in(spec.session, prefix);
  auto last = sessions_.find(prefix);
  return (!spec.task.empty()
          && (epochs == epochs_.end() || epochs->second < spec.epoch))
    || (number > 0 && (last == sessions_.end() || last->second < number));
}

result<void> seen_numbers::note(const msg::session_spec& spec) {
  std::lock_guard<std::mutex> guard{mutex_};
  auto epochs = epochs_;
  auto sessions = sessions_;
  if (!take_in(spec, epochs, sessions))
    return {};
  auto text = dump(json{{"epochs", epochs}, {"sessions", sessions}}) + "\n";
  if (auto ok = write_file_durably(path_, text); !ok)
    return ok;
  epochs_ = std::move(epochs);
  sessions_ = std::move(sessions);
  return {};
}

std::vector<msg::seen_number> seen_numbers::epochs() const {
  std::lock_guard<std::mutex> guard{mutex_};
  return listed(epochs_);
}

std::vector<msg::seen_part> seen_numbers::parts(std::size_t most) const {
  std::vector<msg::seen_part> out;
  std::size_t count = 0;
  auto part = [&]() -> msg::seen_part& {
    return count++ % most == 0 ? out.emplace_back() : out.back();
  };
  for (auto& x : epochs())
    part().epochs.push_back(std::move(x));
  for (auto& x : sessions())
    part().numbers.push_back(std::move(x));
  return out;
}

std::vector<msg::seen_number> seen_numbers::sessions() const {
  std::lock_guard<std::mutex> guard{mutex_};
  return listed(sessions_);
}

} // namespace ao
