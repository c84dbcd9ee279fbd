#include "runtime/tmux/tmux.hpp"

#include "runtime/home/files.hpp"
#include "runtime/process/environment.hpp"
#include "runtime/process/process.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <sstream>

namespace ao {
namespace {

constexpr std::string_view pane_row
  = "#{session_name} #{pane_id} #{pane_pid} #{pane_dead} "
    "#{window_activity} #{window_name}";

/// Nothing periodic (no status line, no automatic names), nothing that an
/// agent can change of the outside (clipboard, titles), nothing of the user's.
constexpr std::string_view config = R"(# Written by ao at each start.
set -s exit-empty on
set -s escape-time 0
set -s set-clipboard off
set -g default-terminal "tmux-256color"
set -g destroy-unattached off
set -g update-environment ""
set -g status off
set -g set-titles off
set -g visual-activity off
set -g visual-bell off
set -g assume-paste-time 0
set -g history-limit 5000
set -g window-size latest
setw -g remain-on-exit off
setw -g automatic-rename off
setw -g allow-rename off
setw -g monitor-bell off
)";

bool all_of(std::string_view text, bool (*allowed)(char)) {
  return std::all_of(text.begin(), text.end(), allowed);
}

bool is_word_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
    || (c >= '0' && c <= '9') || c == '-';
}

/// `%3`
bool is_pane_id(std::string_view pane) {
  return pane.size() > 1 && pane.size() < 12 && pane.front() == '%'
    && all_of(pane.substr(1), [](char c) { return c >= '0' && c <= '9'; });
}

/// An absolute path that no layer of tmux reads otherwise.
bool is_plain_path(std::string_view path) {
  return !path.empty() && path.front() == '/' && path.back() != ';'
    && all_of(path, [](char c) {
         auto u = static_cast<unsigned char>(c);
         return u >= 0x20 && u != 0x7f;
       });
}

result<void> check_name(const std::string& name) {
  if (is_tmux_name(name))
    return {};
  return fail(ec::bad_input, "no name for a tmux session: " + name);
}

result<void> check_pane(const std::string& pane) {
  if (is_pane_id(pane))
    return {};
  return fail(ec::bad_input, "no id of a tmux pane: " + pane);
}

/// Formats are expanded in this argument; a `#` of a path means itself.
std::string without_formats(const std::string& text) {
  std::string out;
  for (char c : text)
    out += c == '#' ? "##" : std::string(1, c);
  return out;
}

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' '))
    text.pop_back();
  return text;
}

/// Whether a server listens: a connection costs less than a tmux.
bool somebody_listens(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return false;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  unique_fd fd{socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  return fd
    && (connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address)
          == 0
        || errno == EAGAIN);
}

/// What is looked for is not there: no server, one without a single session
/// (as for a moment when its last one has ended), or one without this target.
bool says_nothing_there(const std::string& text) {
  for (auto words :
       {"no server running on", "error connecting to", "server exited",
        "lost server", "no current target", "no sessions", "can't find session",
        "can't find window", "can't find pane"})
    if (text.find(words) != std::string::npos)
      return true;
  return false;
}

/// What was on its way when a former process died.
void remove_leftovers(const std::string& socket) {
  auto slash = socket.rfind('/');
  auto dir = socket.substr(0, slash);
  auto prefix = socket.substr(slash + 1) + ".paste-";
  std::unique_ptr<DIR, int (*)(DIR*)> listing{opendir(dir.c_str()), closedir};
  while (auto* item = listing ? readdir(listing.get()) : nullptr)
    if (std::string_view{item->d_name}.substr(0, prefix.size()) == prefix)
      unlink((dir + "/" + item->d_name).c_str());
}

} // namespace

std::vector<tmux_pane> parse_panes(const std::string& rows) {
  std::vector<tmux_pane> panes;
  std::istringstream in{rows};
  for (std::string row; std::getline(in, row);) {
    std::istringstream fields{row};
    tmux_pane p;
    int dead = 0;
    if (!(fields >> p.session >> p.pane >> p.pid >> dead >> p.last_output))
      continue;
    p.dead = dead != 0;
    std::getline(fields >> std::ws, p.window);
    panes.push_back(std::move(p));
  }
  return panes;
}

struct tmux_server::impl {
  explicit impl(tmux_place where) : place(std::move(where)) {
    remove_leftovers(place.socket);
  }

  /// A tmux client with an environment of ours and no other server in mind.
  process_spec client(const std::vector<std::string>& arguments) const {
    process_spec spec;
    spec.argv
      = {"tmux", "-u", "-S", place.socket, "-f", place.socket + ".conf"};
    spec.argv.insert(spec.argv.end(), arguments.begin(), arguments.end());
    // Panes get theirs from launch.json; this is for tmux itself.
    environment env;
    auto own = environment::inherited();
    for (const auto& [name, value] : own.values())
      if (name == "PATH" || name == "HOME" || name == "USER"
          || name == "LOGNAME" || name == "SHELL" || name == "LANG"
          || name == "TZ" || name.compare(0, 3, "LC_") == 0)
        env.set(name, value);
    spec.env = env.set("TERM", "xterm-256color").to_vector();
    spec.cwd = "/";
    return spec;
  }

  error failure(const std::vector<std::string>& command,
                const std::string& text) const {
    auto code = says_nothing_there(text) ? ec::not_reachable : ec::tmux_failed;
    return {code, command.front() + ": " + trimmed(text)};
  }

  /// One `tmux` process for one command.
  result<std::string> exec(const std::vector<std::string>& command) {
    auto arguments = command;
    for (auto& a : arguments)
      if (!a.empty() && a.back() == ';')
        a.insert(a.size() - 1, "\\");
    auto done = run(client(arguments), place.deadline);
    if (!done) {
      auto why = done.error();
      why.context = command.front() + ": " + why.context;
      return fail(std::move(why));
    }
    if (!done->ok())
      return fail(failure(
        command, done->err.empty() ? to_string(done->status) : done->err));
    return std::move(done->out);
  }

  /// As `exec`, of a server that runs.
  result<std::string> ask(const std::vector<std::string>& command) {
    if (!somebody_listens(place.socket))
      return fail(ec::not_reachable,
                  command.front() + ": no tmux server on " + place.socket);
    return exec(command);
  }

  result<void> change(const std::vector<std::string>& command) {
    auto done = ask(command);
    return done ? result<void>{} : fail(done.error());
  }

  /// In copy mode keys and pastes would go to tmux instead of the agent.
  result<void> leave_modes(const std::string& pane) {
    return change({"copy-mode", "-q", "-t", pane});
  }

  tmux_place place;
};

tmux_server::tmux_server(tmux_place place)
    : impl_(std::make_unique<impl>(std::move(place))) {}

tmux_server::~tmux_server() = default;
tmux_server::tmux_server(tmux_server&&) noexcept = default;
tmux_server& tmux_server::operator=(tmux_server&&) noexcept = default;

const tmux_place& tmux_server::place() const {
  return impl_->place;
}

result<tmux_pane>
tmux_server::new_session(const std::string& name, const std::string& window,
                         const std::string& cwd, const std::string& session_dir,
                         pane_size size) {
  for (const auto& called : {name, window})
    if (auto ok = check_name(called); !ok)
      return fail(ok.error());
  for (std::string_view path :
       {std::string_view{impl_->place.socket},
        std::string_view{impl_->place.shim}, std::string_view{session_dir},
        std::string_view{cwd}})
    if (!is_plain_path(path))
      return fail(ec::bad_input,
                  "no path for a tmux session: " + std::string{path});
  if (size.columns < 1 || size.rows < 1 || size.columns > 10'000
      || size.rows > 10'000)
    return fail(ec::bad_input, "no size for a tmux session");
  // By a process of its own, so that program and argument stay two words that
  // no shell sees. A server that is just ending takes nobody in; then there is
  // neither it nor a pane, and the next one may be asked.
  constexpr int tries = 5;
  auto row = result<std::string>{fail(ec::not_reachable, "new-session")};
  for (int i = 0; i < tries && !row && row.error().code == ec::not_reachable;
       ++i) {
    if (!somebody_listens(impl_->place.socket))
      if (auto ok = write_file_durably(impl_->place.socket + ".conf", config);
          !ok)
        return fail(ok.error());
    row = impl_->exec({"new-session", "-d", "-P", "-F", std::string{pane_row},
                       "-s", name, "-n", window, "-x",
                       std::to_string(size.columns), "-y",
                       std::to_string(size.rows), "-c", without_formats(cwd),
                       "--", impl_->place.shim, session_dir});
  }
  if (!row)
    return fail(row.error());
  auto panes = parse_panes(*row);
  if (panes.size() != 1)
    return fail(ec::tmux_failed, "new-session: unexpected answer " + *row);
  return panes.front();
}

result<bool> tmux_server::has_session(const std::string& name) {
  if (auto ok = check_name(name); !ok)
    return fail(ok.error());
  auto found = impl_->ask({"has-session", "-t", "=" + name});
  if (found)
    return true;
  if (found.error().code == ec::not_reachable)
    return false;
  return fail(found.error());
}

result<std::vector<tmux_pane>> tmux_server::list_panes() {
  auto rows = impl_->ask({"list-panes", "-a", "-F", std::string{pane_row}});
  if (rows)
    return parse_panes(*rows);
  if (rows.error().code == ec::not_reachable)
    return std::vector<tmux_pane>{};
  return fail(rows.error());
}

result<bool> tmux_server::kill_session(const std::string& name) {
  auto there = has_session(name);
  if (!there || !*there)
    return there;
  auto done = impl_->change({"kill-session", "-t", "=" + name});
  if (done)
    return true;
  if (done.error().code == ec::not_reachable)
    return false;
  return fail(done.error());
}

result<std::string> tmux_server::capture(const std::string& pane, int lines) {
  if (auto ok = check_pane(pane); !ok)
    return fail(ok.error());
  if (lines < 1)
    return fail(ec::bad_input, "no number of rows to capture");
  auto text = impl_->exec(
    {"capture-pane", "-p", "-S", "-" + std::to_string(lines), "-t", pane});
  if (!text)
    return text;
  *text = trimmed(std::move(*text));
  // -S counts from the top of the screen, so there may be more than wanted.
  auto at = text->size();
  for (int i = 0; i < lines && at != std::string::npos; ++i)
    at = at == 0 ? std::string::npos : text->rfind('\n', at - 1);
  return at == std::string::npos ? *text : text->substr(at + 1);
}

result<pane_view> tmux_server::look(const std::string& pane) {
  if (auto ok = check_pane(pane); !ok)
    return fail(ok.error());
  auto facts = impl_->ask({"display-message", "-p", "-t", pane,
                           "#{cursor_x} #{cursor_y} #{pane_tty}"});
  if (!facts)
    return fail(facts.error());
  // Of a pane that is not there it shows nothing, without an error.
  if (trimmed(*facts).empty())
    return fail(ec::not_reachable, "display-message: no pane " + pane);
  pane_view view;
  std::string tty;
  std::istringstream in{*facts};
  if (!(in >> view.cursor_x >> view.cursor_y >> tty))
    return fail(ec::tmux_failed,
                "display-message: unexpected answer " + *facts);
  unique_fd terminal{
    open(tty.c_str(), O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)};
  termios modes{};
  if (!terminal || tcgetattr(terminal.get(), &modes) != 0)
    return fail(ec::tmux_failed, tty + ": " + std::strerror(errno));
  view.echo = (modes.c_lflag & ECHO) != 0;
  view.line_mode = (modes.c_lflag & ICANON) != 0;
  auto text = impl_->exec({"capture-pane", "-p", "-t", pane});
  if (!text)
    return fail(text.error());
  view.screen = std::move(*text);
  return view;
}

result<void> tmux_server::paste(const std::string& pane,
                                std::string_view text) {
  if (auto ok = check_pane(pane); !ok)
    return ok;
  if (text.empty())
    return {};
  auto id = make_ulid();
  auto file = impl_->place.socket + ".paste-" + id;
  auto buffer = "ao-" + id;
  if (auto ok = write_file_durably(file, text); !ok)
    return ok;
  auto loaded = impl_->leave_modes(pane);
  if (loaded)
    loaded = impl_->change({"load-buffer", "-b", buffer, file});
  unlink(file.c_str());
  if (!loaded)
    return loaded;
  // -r: a newline stays a newline; -d: the buffer goes.
  auto pasted = impl_->change(
    {"paste-buffer", "-d", "-p", "-r", "-b", buffer, "-t", pane});
  if (!pasted && pasted.error().code != ec::timed_out)
    (void)impl_->change({"delete-buffer", "-b", buffer});
  return pasted;
}

result<void> tmux_server::press_enter(const std::string& pane) {
  return press(pane, "Enter");
}

result<void> tmux_server::press(const std::string& pane,
                                const std::string& key) {
  if (auto ok = check_pane(pane); !ok)
    return ok;
  // A program's own order is no key; tmux types what it does not know.
  std::string_view name = key;
  if (!name.empty() && name.front() == '/')
    name.remove_prefix(1);
  if (name.empty() || key.size() > 16 || name.front() == '-'
      || !all_of(name, is_word_char))
    return fail(ec::bad_input, "no name of a key: " + key);
  if (auto ok = impl_->leave_modes(pane); !ok)
    return ok;
  return impl_->change({"send-keys", "-t", pane, key});
}

result<pid_t> tmux_server::server_pid() {
  auto text = impl_->ask({"display-message", "-p", "#{pid}"});
  if (!text)
    return fail(text.error());
  auto pid = std::atoi(text->c_str());
  if (pid <= 1)
    return fail(ec::tmux_failed, "display-message: unexpected answer " + *text);
  return pid;
}

result<bool> tmux_server::kill_server() {
  auto pid = server_pid();
  if (!pid && pid.error().code == ec::not_reachable)
    return false;
  if (!pid)
    return fail(pid.error());
  auto pidfd = open_pidfd(*pid);
  auto done = impl_->exec({"kill-server"});
  // It may have ended by itself meanwhile.
  if (!done && done.error().code != ec::not_reachable)
    return fail(done.error());
  if (pidfd && !wait_ended(pidfd->get(), impl_->place.deadline))
    return fail(ec::timed_out,
                "kill-server: tmux " + std::to_string(*pid) + " does not end");
  return true;
}

bool is_tmux_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && name.front() != '-'
    && all_of(name, [](char c) { return is_word_char(c) || c == '_'; });
}

tmux_servers::tmux_servers(std::string run_dir, std::string shim,
                           milliseconds deadline)
    : run_dir_(std::move(run_dir)),
      shim_(std::move(shim)),
      deadline_(deadline) {
  std::size_t count = 1;
  std::unique_ptr<DIR, int (*)(DIR*)> dir{opendir(run_dir_.c_str()), closedir};
  while (auto* item = dir ? readdir(dir.get()) : nullptr) {
    unsigned k = 0;
    int end = 0;
    if (std::sscanf(item->d_name, "tmux-%4u.sock%n", &k, &end) == 1 && end > 0
        && item->d_name[end] == '\0')
      count = std::max<std::size_t>(count, k + 1);
  }
  grow_to(count);
}

result<std::vector<tmux_pane>> tmux_servers::panes_of(std::size_t index) {
  auto quiet = silent_.find(index);
  if (quiet != silent_.end()
      && std::chrono::steady_clock::now() < quiet->second.until)
    return fail(quiet->second.why);
  auto panes = servers_[index].list_panes();
  silent_.erase(index);
  if (!panes && panes.error().code == ec::timed_out)
    silent_[index]
      = {panes.error(), std::chrono::steady_clock::now() + 2 * deadline_};
  return panes;
}

tmux_servers::inventory tmux_servers::list_panes() {
  inventory all;
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    auto panes = panes_of(i);
    if (!panes) {
      all.errors.emplace_back(i, panes.error());
      continue;
    }
    for (auto& pane : *panes)
      all.panes.push_back({i, std::move(pane)});
  }
  return all;
}

result<std::size_t> tmux_servers::server_with_room() {
  for (std::size_t i = 0; i < servers_.size(); ++i)
    // One that does not answer has no room; the next may.
    if (auto panes = panes_of(i); panes && panes->size() < sessions_per_server)
      return i;
  grow_to(servers_.size() + 1);
  return servers_.size() - 1;
}

void tmux_servers::grow_to(std::size_t count) {
  while (servers_.size() < count)
    servers_.emplace_back(tmux_place{
      run_dir_ + "/tmux-" + std::to_string(servers_.size()) + ".sock", shim_,
      deadline_});
}

} // namespace ao
