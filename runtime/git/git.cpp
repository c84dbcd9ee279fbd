#include "runtime/git/git.hpp"

#include "runtime/git/names.hpp"
#include "runtime/process/environment.hpp"
#include "runtime/process/process.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>

namespace ao {
namespace {

namespace fs = std::filesystem;

// Over the configuration of every repository, because a checkout or an agent
// may have written that one.
constexpr const char* overrides[] = {
  "core.hooksPath=/dev/null",
  "core.fsmonitor=false",
  "core.attributesFile=/dev/null",
  "core.editor=false",
  "core.pager=cat",
  "core.quotePath=true",
  // Another git of the same repository may be slow on a busy machine; git's
  // own limits are 100 ms and a second.
  "core.filesRefLockTimeout=10000",
  "core.packedRefsTimeout=10000",
  "core.fsync=committed",
  "core.fsyncMethod=batch",
  "protocol.allow=never",
  "protocol.file.allow=always",
  "protocol.git.allow=always",
  "protocol.http.allow=always",
  "protocol.https.allow=always",
  "protocol.ssh.allow=always",
  "protocol.ext.allow=never",
  "gc.auto=0",
  "maintenance.auto=false",
  "commit.gpgSign=false",
  "push.gpgSign=false",
  "log.showSignature=false",
  "submodule.recurse=false",
  "fetch.recurseSubmodules=false",
  "push.recurseSubmodules=no",
  "push.followTags=false",
};

/// How the user reaches remotes; the agents' environment has none of these.
const std::vector<std::string>& network_variables() {
  static const std::vector<std::string> names{
    "GIT_SSH",        "GIT_SSH_COMMAND", "GIT_SSH_VARIANT", "GIT_SSL_CAINFO",
    "GIT_SSL_CAPATH", "http_proxy",      "https_proxy",     "HTTPS_PROXY",
    "all_proxy",      "ALL_PROXY",       "no_proxy",        "NO_PROXY",
    "SSL_CERT_FILE",  "SSL_CERT_DIR",    "GNUPGHOME",
  };
  return names;
}

environment environment_of(
  const git_call& call,
  const std::vector<std::pair<std::string, std::string>>& variables) {
  auto users = call.scope == git_scope::users;
  auto env = users ? environment::inherited(network_variables())
                   : environment::inherited();
  env.set("LC_ALL", "C")
    .set("GIT_TERMINAL_PROMPT", "0")
    // Set but empty: no graphical prompt either.
    .set("GIT_ASKPASS", "")
    .set("GIT_EDITOR", "false")
    .set("GIT_OPTIONAL_LOCKS", "0")
    .set("GIT_NO_REPLACE_OBJECTS", "1")
    .set("GIT_LFS_SKIP_SMUDGE", "1")
    // A directory that has lost its repository must not be taken for a part
    // of one above it.
    .set("GIT_CEILING_DIRECTORIES", fs::absolute(call.dir).parent_path());
  if (!users)
    env.set("GIT_CONFIG_NOSYSTEM", "1")
      .set("GIT_CONFIG_GLOBAL", "/dev/null")
      .set("GIT_ATTR_NOSYSTEM", "1");
  for (const auto* more : {&variables, &call.env})
    for (const auto& [name, value] : *more)
      env.set(name, value);
  return env;
}

/// Replaces `user:password` of URLs.
std::string without_credentials(std::string text) {
  for (std::size_t at = 0; (at = text.find("://", at)) != std::string::npos;) {
    at += 3;
    auto end = text.find_first_of("/ '\"", at);
    auto sign = text.rfind('@', end);
    if (sign != std::string::npos && sign > at)
      text.replace(at, sign - at, "***");
  }
  return text;
}

std::string last_line(std::string_view text) {
  auto end = text.find_last_not_of(" \r\n");
  if (end == std::string_view::npos)
    return {};
  text = text.substr(0, end + 1);
  auto begin = text.rfind('\n');
  return std::string{text.substr(begin + 1)};
}

std::string verb_of(const git_call& call) {
  return call.args.empty() ? std::string{"?"} : call.args.front();
}

bool valid_rev(std::string_view rev) {
  return rev == "HEAD" || valid_oid(rev) || valid_ref(rev);
}

} // namespace

git_runner::git_runner(std::string program) : program_(std::move(program)) {}

git_runner git_runner::with(
  std::vector<std::pair<std::string, std::string>> variables) const {
  auto out = *this;
  out.variables_.insert(out.variables_.end(),
                        std::make_move_iterator(variables.begin()),
                        std::make_move_iterator(variables.end()));
  return out;
}

result<git_end> git_runner::run(const git_call& call) const {
  process_spec spec;
  spec.argv.push_back(program_);
  for (const auto* setting : overrides)
    spec.argv.insert(spec.argv.end(), {"-c", setting});
  spec.argv.insert(spec.argv.end(), call.args.begin(), call.args.end());
  spec.env = environment_of(call, variables_).to_vector();
  spec.cwd = call.dir.string();
  if (!call.input.empty())
    spec.in = child_input::bytes(call.input);
  // Lists of files of a large repository are longer than the usual cap.
  spec.out = child_output::capture(std::size_t{256} << 20);
  auto done = ao::run(std::move(spec), call.limit);
  if (!done)
    return fail(done.error().code,
                "git " + verb_of(call) + ": " + done.error().context);
  if (done->truncated)
    return fail(ec::git_failed, "git " + verb_of(call) + ": too much output");
  if (!done->status.code)
    return fail(ec::git_failed,
                "git " + verb_of(call) + ": " + to_string(done->status));
  return git_end{*done->status.code, std::move(done->out),
                 std::move(done->err)};
}

result<std::string> git_runner::ask(const git_call& call) const {
  auto end = run(call);
  if (!end)
    return fail(end.error());
  if (end->code != 0)
    return fail(git_failure(call, *end));
  return std::move(end->out);
}

result<std::string> git_runner::ask_line(const git_call& call) const {
  auto out = ask(call);
  if (out && !out->empty() && out->back() == '\n')
    out->pop_back();
  return out;
}

result<std::optional<std::string>>
git_runner::commit_of(const fs::path& dir, std::string_view rev) const {
  if (!valid_rev(rev))
    return fail(ec::bad_input, "not a ref or object name: " + one_line(rev));
  git_call call{dir,
                {"rev-parse", "--verify", "--quiet", "--end-of-options",
                 std::string{rev} + "^{commit}"}};
  auto end = run(call);
  if (!end)
    return fail(end.error());
  if (end->code == 0)
    return std::string{end->out.substr(0, end->out.find('\n'))};
  constexpr int not_there = 1;
  if (end->code == not_there)
    return std::nullopt;
  return fail(git_failure(call, *end));
}

result<std::vector<std::optional<std::string>>>
git_runner::commits_of(const fs::path& dir,
                       const std::vector<std::string>& revs) const {
  git_call call{dir, {"cat-file", "--batch-check=%(objectname)"}};
  for (const auto& rev : revs) {
    if (!valid_rev(rev))
      return fail(ec::bad_input, "not a ref or object name: " + one_line(rev));
    call.input += rev + "^{commit}\n";
  }
  auto out = ask(call);
  if (!out)
    return fail(out.error());
  std::vector<std::optional<std::string>> found;
  std::string_view rest = *out;
  while (!rest.empty()) {
    auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    // Else `<rev> missing`.
    auto is_there = valid_oid(line);
    found.push_back(is_there ? std::optional<std::string>{line} : std::nullopt);
  }
  if (found.size() != revs.size())
    return fail(ec::git_failed, "git cat-file: an answer is missing");
  return found;
}

result<bool> git_runner::contains(const fs::path& dir,
                                  std::string_view ancestor,
                                  std::string_view descendant) const {
  if (!valid_rev(ancestor) || !valid_rev(descendant))
    return fail(ec::bad_input, "not a ref or object name");
  git_call call{dir,
                {"merge-base", "--is-ancestor", std::string{ancestor},
                 std::string{descendant}}};
  auto end = run(call);
  if (!end)
    return fail(end.error());
  if (end->code > 1)
    return fail(git_failure(call, *end));
  return end->code == 0;
}

result<void> git_runner::move_ref(const fs::path& dir, std::string_view ref,
                                  std::string_view target,
                                  std::string_view expected_old,
                                  std::string_view why) const {
  if (!valid_ref(ref) || !valid_oid(target) || !valid_oid(expected_old))
    return fail(ec::bad_input, "cannot move " + one_line(ref));
  auto deletes = target == zero_oid();
  if (deletes && expected_old == zero_oid())
    return fail(ec::bad_input, "cannot delete what is not there");
  git_call call{dir, {"update-ref", "--no-deref", "-m", one_line(why)}};
  if (deletes)
    call.args.insert(call.args.end(), {"-d", std::string{ref}});
  else
    call.args.insert(call.args.end(), {std::string{ref}, std::string{target}});
  call.args.emplace_back(expected_old);
  auto end = run(call);
  if (!end)
    return fail(end.error());
  if (end->code == 0)
    return {};
  auto now = commit_of(dir, ref);
  if (!now)
    return fail(now.error());
  auto actual = now->value_or(zero_oid());
  if (actual == target)
    return {};
  if (actual == expected_old)
    return fail(git_failure(call, *end));
  return fail(error{ec::ref_moved,
                    std::string{ref} + " is at " + actual.substr(0, 12)
                      + ", expected " + std::string{expected_old.substr(0, 12)},
                    {{"actual", actual}}});
}

result<std::optional<git_person>> git_runner::users_identity() const {
  git_call call{
    "/",
    {"config", "--includes", "-z", "--get-regexp", "^user\\.(name|email)$"}};
  call.scope = git_scope::users;
  auto end = run(call);
  if (!end)
    return fail(end.error());
  constexpr int none_set = 1;
  if (end->code == none_set)
    return std::nullopt;
  if (end->code != 0)
    return fail(git_failure(call, *end));
  git_person who;
  // The last value of each counts.
  for (const auto& line : split_nul(end->out)) {
    auto value = line.find('\n');
    auto text
      = value == std::string::npos ? "" : one_line(line.substr(value + 1));
    (line.compare(0, value, "user.name") == 0 ? who.name : who.email) = text;
  }
  if (who.name.empty() || who.email.empty())
    return std::nullopt;
  return who;
}

error git_failure(const git_call& call, const git_end& end) {
  auto line = one_line(without_credentials(last_line(end.err)), 500);
  if (line.empty())
    line = "exited " + std::to_string(end.code);
  return error{ec::git_failed, "git " + verb_of(call) + ": " + line};
}

std::uint64_t leading_number(std::string_view text) {
  std::uint64_t n = 0;
  std::from_chars(text.data(), text.data() + text.size(), n);
  return n;
}

std::vector<std::string> split_nul(std::string_view text) {
  std::vector<std::string> pieces;
  while (!text.empty()) {
    auto end = text.find('\0');
    pieces.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos)
      break;
    text.remove_prefix(end + 1);
  }
  return pieces;
}

} // namespace ao
