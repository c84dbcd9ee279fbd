#include "runtime/node/output.hpp"

#include "messages/time.hpp"
#include "runtime/home/files.hpp"
#include "runtime/io/fd.hpp"
#include "runtime/process/environment.hpp"
#include "runtime/process/process.hpp"
#include "runtime/rules/text.hpp"
#include "runtime/tmux/tmux.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace ao {
namespace {

namespace fs = std::filesystem;

constexpr milliseconds capture_deadline{5'000};

/// Whoever has not asked for the next part by then does not come back.
constexpr std::chrono::minutes snapshot_life{10};

/// Most bytes of a character of UTF-8.
constexpr std::size_t longest_character = 4;

fs::path snapshots_of(const home& place) {
  return fs::path{place.root()} / "cluster" / "screens";
}

bool is_ulid(const std::string& text) {
  return text.size() == 26
    && text.find_first_not_of("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
    == std::string::npos;
}

/// Without a character at the end of which the rest is still to come.
void end_at_character(std::string& bytes) {
  auto tail = std::min(bytes.size(), longest_character - 1);
  for (std::size_t n = 1; n <= tail; ++n) {
    auto byte = static_cast<unsigned char>(bytes[bytes.size() - n]);
    if (byte < 0x80)
      return;
    if (byte >= 0xc0) {
      auto length = byte >= 0xf0 ? 4u : byte >= 0xe0 ? 3u : 2u;
      if (n < length && bytes.size() > n)
        bytes.resize(bytes.size() - n);
      return;
    }
  }
}

/// A part of a text that does not change. None when there is no such file; a
/// link that somebody has put in its place is none.
result<msg::output_part> part_of(const fs::path& file, std::uint64_t offset,
                                 std::size_t most) {
  unique_fd fd{
    ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)};
  struct stat there {};
  if (!fd || ::fstat(fd.get(), &there) != 0 || !S_ISREG(there.st_mode))
    return msg::output_part{};
  msg::output_part out;
  out.kept = true;
  out.text.resize(most);
  auto n = ::pread(fd.get(), out.text.data(), most, static_cast<off_t>(offset));
  if (n < 0)
    return fail(ec::home_unusable, file.string() + ": " + std::strerror(errno));
  out.text.resize(static_cast<std::size_t>(n));
  if (offset + out.text.size() < static_cast<std::uint64_t>(there.st_size)) {
    end_at_character(out.text);
    out.next = offset + out.text.size();
  }
  return out;
}

/// What the terminal shows; empty when it is not there any more.
std::string screen_of(const msg::read_output& what) {
  process_spec spec;
  spec.argv = {"tmux", "-S", what.socket, "capture-pane", "-p",
               "-J",   "-S", "-",         "-t",           what.pane};
  spec.env = environment::inherited().to_vector();
  auto done = run(std::move(spec), capture_deadline);
  return done && done->ok() ? std::move(done->out) : std::string{};
}

/// Removes what readers have left.
void forget_snapshots(const fs::path& dir) {
  std::error_code problem;
  auto oldest = fs::file_time_type::clock::now() - snapshot_life;
  for (fs::directory_iterator i{dir, problem}, end; !problem && i != end;
       i.increment(problem)) {
    std::error_code ignored;
    if (fs::last_write_time(i->path(), ignored) < oldest)
      fs::remove(i->path(), ignored);
  }
}

/// Keeps a text of several parts, and gives the first one.
result<msg::output_part> first_of(const home& place, std::string text,
                                  std::size_t most) {
  auto dir = snapshots_of(place);
  forget_snapshots(dir);
  if (auto ok = make_directories(dir.string()); !ok)
    return fail(ok.error());
  auto id = make_ulid();
  if (auto ok = write_file_durably((dir / id).string(), text); !ok)
    return fail(ok.error());
  auto out = part_of(dir / id, 0, most);
  if (out)
    out->snapshot = id;
  return out;
}

result<msg::output_part>
next_of(const home& place, const msg::read_output& what, std::size_t most) {
  if (!is_ulid(what.snapshot))
    return fail(ec::bad_input, "snapshot: expected a ULID");
  auto file = snapshots_of(place) / what.snapshot;
  auto out = part_of(file, what.offset, most);
  if (!out)
    return out;
  if (!out->kept)
    return fail(ec::wrong_state, "this reading is over; begin again");
  out->snapshot = what.snapshot;
  std::error_code ignored;
  if (out->next == 0)
    fs::remove(file, ignored);
  return out;
}

} // namespace

result<msg::output_part>
read_output(const home& place, const msg::read_output& what, std::size_t most) {
  // It becomes the name of a directory.
  if (!is_tmux_name(what.session.text))
    return fail(ec::bad_input, "session: expected the name of one");
  if (!what.snapshot.empty())
    return next_of(place, what, most);
  auto kept = part_of(fs::path{place.sessions()} / what.session.text
                        / ("pane." + std::to_string(what.run) + ".txt"),
                      what.offset, most);
  if (!kept || kept->kept || what.socket.empty() || what.pane.empty())
    return kept;
  auto text = screen_of(what);
  if (text.size() > most)
    return first_of(place, std::move(text), most);
  msg::output_part out;
  out.kept = !text.empty();
  out.text = std::move(text);
  return out;
}

} // namespace ao
