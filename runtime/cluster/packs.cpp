#include "runtime/cluster/packs.hpp"

#include "runtime/git/hook.hpp"
#include "runtime/git/names.hpp"
#include "runtime/git/overtaken.hpp"
#include "runtime/home/files.hpp"

#include <algorithm>
#include <set>
#include <sstream>

namespace ao {
namespace {

namespace fs = std::filesystem;

constexpr milliseconds long_limit{600'000};
constexpr std::string_view heads = "refs/heads/";

bool is_oid(const std::string& text) {
  return (text.size() == 40 || text.size() == 64)
    && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

/// Those of the commits that the repository has.
result<std::vector<std::string>>
known_of(const git_runner& git, const fs::path& repository,
         const std::vector<std::string>& commits) {
  std::vector<std::string> asked;
  std::copy_if(commits.begin(), commits.end(), std::back_inserter(asked),
               is_oid);
  auto found = git.commits_of(repository, asked);
  if (!found)
    return fail(found.error());
  std::vector<std::string> out;
  for (const auto& one : *found)
    if (one)
      out.push_back(*one);
  return out;
}

/// Packs `want` without what `have` reaches, as `<into>/<name>-<hash>.pack`;
/// the index that git makes of it goes. Empty when there is nothing.
result<fs::path>
make_pack(const git_runner& git, const fs::path& repository,
          const std::set<std::string>& want, const std::set<std::string>& have,
          const std::vector<std::pair<std::string, std::string>>& env,
          const fs::path& into) {
  std::error_code problem;
  fs::create_directories(into, problem);
  if (problem)
    return fail(ec::home_unusable, into.string() + ": " + problem.message());
  std::string input;
  for (const auto& oid : want)
    input += oid + "\n";
  for (const auto& oid : have)
    input += "^" + oid + "\n";
  git_call call{repository,
                {"pack-objects", "--revs", "--quiet", "--non-empty",
                 (into / "out").string()},
                input,
                env};
  call.limit = long_limit;
  auto hash = git.ask_line(call);
  if (!hash)
    return fail(hash.error());
  if (hash->empty())
    return fs::path{};
  auto stem = into / ("out-" + *hash);
  for (const auto* rest : {".idx", ".rev"})
    fs::remove(stem.string() + rest, problem);
  return fs::path{stem.string() + ".pack"};
}

std::set<std::string> values_of(const std::map<std::string, std::string>& xs) {
  std::set<std::string> out;
  for (const auto& [name, value] : xs)
    out.insert(value);
  return out;
}

/// How often a push that met another is tried before it is said to have failed.
constexpr int most_tries = 3;

/// Whether the repository is as the updates want it.
result<bool> has_all(const git_runner& git, const fs::path& repository,
                     const std::vector<ref_update>& updates) {
  auto now = heads_of(git, repository);
  if (!now)
    return fail(now.error());
  return std::all_of(updates.begin(), updates.end(), [&](const ref_update& u) {
    auto at = u.ref.rfind(heads, 0) == 0 ? now->find(u.ref.substr(heads.size()))
                                         : now->end();
    return u.deletes() ? at == now->end()
                       : at != now->end() && at->second == u.new_sha;
  });
}

/// The line that the forge's hook has said, from what `git push` prints.
error refusal_in(const git_call& call, const git_end& end) {
  constexpr std::string_view mark = "ao: push refused: ";
  auto at = end.err.find(mark);
  if (at != std::string::npos) {
    auto line = end.err.substr(at, end.err.find('\n', at) - at);
    while (!line.empty() && (line.back() == ' ' || line.back() == '\r'))
      line.pop_back();
    auto stale = line.find("stale epoch") != std::string::npos;
    return {stale ? ec::stale_epoch : ec::push_refused, line};
  }
  for (const auto* sign : {"stale info", "non-fast-forward", "fetch first"})
    if (end.out.find(sign) != std::string::npos)
      return {ec::ref_moved, "the branch was moved at the hub by another"};
  return git_failure(call, end);
}

} // namespace

result<std::map<std::string, std::string>>
heads_of(const git_runner& git, const fs::path& repository) {
  auto text = git.ask(
    {repository,
     {"for-each-ref", "--format=%(objectname) %(refname)", "refs/heads"}});
  if (!text)
    return fail(text.error());
  std::map<std::string, std::string> out;
  std::istringstream lines{*text};
  for (std::string oid, ref; lines >> oid >> ref;)
    out.emplace(ref.substr(heads.size()), oid);
  return out;
}

result<pack_offer> pack_new(const git_runner& git, const fs::path& repository,
                            const std::vector<std::string>& have,
                            const fs::path& into) {
  pack_offer out;
  auto all = heads_of(git, repository);
  if (!all)
    return fail(all.error());
  out.heads = std::move(*all);
  auto known = known_of(git, repository, have);
  if (!known)
    return fail(known.error());
  std::set<std::string> there{known->begin(), known->end()};
  auto want = values_of(out.heads);
  for (const auto& oid : there)
    want.erase(oid);
  if (want.empty())
    return out;
  auto file = make_pack(git, repository, want, there, {}, into);
  if (!file)
    return fail(file.error());
  if (file->empty())
    return out;
  std::error_code problem;
  out.size = fs::file_size(*file, problem);
  out.file = std::move(*file);
  return out;
}

result<void> take_pack(const git_runner& git, const fs::path& repository,
                       const fs::path& file) {
  auto packs = repository / "objects/pack";
  std::error_code problem;
  fs::create_directories(packs, problem);
  // Git looks at files with an index only, so the half-made one is not seen.
  git_call call{repository, {"index-pack", "--strict", file.string()}};
  call.limit = long_limit;
  auto hash = git.ask_line(call);
  if (!hash)
    return fail(hash.error());
  auto stem = file.string();
  stem.resize(stem.rfind('.'));
  auto name = "pack-" + hash->substr(hash->find_last_of('\t') + 1);
  for (const auto* end : {".pack", ".rev", ".idx"}) {
    if (!fs::exists(stem + end, problem))
      continue;
    fs::rename(stem + end, packs / (name + end), problem);
    if (problem)
      return fail(ec::home_unusable,
                  (packs / name).string() + ": " + problem.message());
  }
  return {};
}

result<void> follow_heads(const git_runner& git, const fs::path& repository,
                          const std::map<std::string, std::string>& wanted) {
  auto now = heads_of(git, repository);
  if (!now)
    return fail(now.error());
  std::string input;
  for (const auto& [name, oid] : wanted) {
    if (!valid_branch(name) || !is_oid(oid))
      return fail(ec::bad_input, "the hub names no branch: " + name);
    auto have = now->find(name);
    if (have == now->end() || have->second != oid)
      input += "update " + std::string{heads} + name + " " + oid + "\n";
  }
  for (const auto& [name, oid] : *now)
    if (wanted.count(name) == 0)
      input += "delete " + std::string{heads} + name + "\n";
  if (input.empty())
    return {};
  auto done = git.ask({repository, {"update-ref", "--stdin"}, input});
  if (!done)
    return fail(done.error());
  return {};
}

result<fs::path> pack_push(const git_runner& git, const fs::path& relay,
                           const held_push& push, const fs::path& into) {
  std::set<std::string> want;
  for (const auto& update : push.updates)
    if (!update.deletes())
      want.insert(update.new_sha);
  auto known = heads_of(git, relay);
  if (!known)
    return fail(known.error());
  auto have = values_of(*known);
  for (const auto& oid : have)
    want.erase(oid);
  if (want.empty())
    return fs::path{};
  std::vector<std::pair<std::string, std::string>> env;
  if (!push.quarantine.empty())
    env = {{"GIT_OBJECT_DIRECTORY", push.quarantine},
           {"GIT_ALTERNATE_OBJECT_DIRECTORIES", (relay / "objects").string()}};
  return make_pack(git, relay, want, have, env, into);
}

result<void>
carry_push(const git_runner& git, const fs::path& forge, const fs::path& pack,
           const std::vector<ref_update>& updates,
           const std::vector<std::pair<std::string, std::string>>& env,
           const fs::path& scratch) {
  std::error_code problem;
  fs::remove_all(scratch, problem);
  fs::create_directories(scratch, problem);
  if (problem)
    return fail(ec::home_unusable, scratch.string() + ": " + problem.message());
  struct removal {
    const fs::path& dir;
    ~removal() {
      std::error_code ignored;
      fs::remove_all(dir, ignored);
    }
  } remove_after{scratch};
  auto repository = scratch / "carry.git";
  fs::create_directories(repository, problem);
  if (auto made = git.ask(
        {repository,
         {"init", "--quiet", "--bare", "--template=", repository.string()}});
      !made)
    return fail(made.error());
  if (auto ok
      = write_file_durably((repository / "objects/info/alternates").string(),
                           (forge / "objects").string() + "\n");
      !ok)
    return ok;
  if (!pack.empty())
    if (auto ok = take_pack(git, repository, pack); !ok)
      return ok;
  git_call call{repository, {"push", "--porcelain"}, {}, env};
  call.limit = long_limit;
  std::vector<std::string> specs;
  for (const auto& update : updates) {
    auto old = update.creates() ? std::string{} : update.old_sha;
    call.args.push_back("--force-with-lease=" + update.ref + ":" + old);
    specs.push_back((update.deletes() ? std::string{} : update.new_sha) + ":"
                    + update.ref);
  }
  call.args.push_back("--");
  call.args.push_back(forge.string());
  call.args.insert(call.args.end(), specs.begin(), specs.end());
  for (int tries = 1;; ++tries) {
    auto end = git.run(call);
    if (!end)
      return fail(end.error());
    if (end->code == 0)
      return {};
    if (!was_overtaken(*end))
      return fail(refusal_in(call, *end));
    // Perhaps by itself.
    auto there = has_all(git, forge, updates);
    if (!there)
      return fail(there.error());
    if (*there)
      return {};
    if (tries == most_tries)
      return fail(refusal_in(call, *end));
  }
}

result<void> make_relay(const git_runner& git, const fs::path& relay,
                        const std::string& base, const hook_target& hooks) {
  std::error_code problem;
  fs::create_directories(relay, problem);
  if (problem)
    return fail(ec::home_unusable, relay.string() + ": " + problem.message());
  if (!fs::exists(relay / "HEAD", problem))
    if (auto made = git.ask(
          {relay,
           {"init", "--quiet", "--bare", "--template=", relay.string()}});
        !made)
      return fail(made.error());
  for (const auto* name : {"pre-receive", "post-receive"})
    if (auto ok = install_hook(relay / "hooks", name, hooks); !ok)
      return ok;
  // What was kept comes and goes by name: nothing is thrown away.
  auto config = (relay / "config").string();
  const std::pair<const char*, const char*> lines[]
    = {{"gc.auto", "0"},
       {"receive.autogc", "false"},
       {"core.logAllRefUpdates", "true"}};
  for (const auto& [key, value] : lines)
    if (auto ok = git.ask({relay, {"config", "--file", config, key, value}});
        !ok)
      return fail(ok.error());
  if (auto ok
      = git.ask({relay, {"symbolic-ref", "HEAD", std::string{heads} + base}});
      !ok)
    return fail(ok.error());
  return {};
}

} // namespace ao
