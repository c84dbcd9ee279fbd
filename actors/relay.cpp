#include "actors/relay.hpp"

#include "actors/link.hpp"
#include "messages/json.hpp"
#include "runtime/api/requests.hpp"
#include "runtime/cluster/packs.hpp"
#include "runtime/git/hook.hpp"
#include "runtime/io/fd.hpp"
#include "runtime/process/reader_pool.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <thread>
#include <utility>

namespace ao {
namespace {

namespace fs = std::filesystem;

constexpr milliseconds chunk_deadline{30'000};
constexpr milliseconds bulk_deadline{600'000};
/// Between two tries to reach the hub.
constexpr milliseconds hub_pause{250};

std::string relay_of(const node_context& context, const project_id& project) {
  return context.place->forge() + "/" + project.text + ".git";
}

fs::path scratch_of(const node_context& context) {
  return context.place->root() + "/cluster";
}

result<msg::wire_reply> call(caf::actor_system& system,
                             const node_context& context, std::string_view verb,
                             const json& body, std::string bytes,
                             milliseconds deadline) {
  msg::call_hub out;
  out.verb = std::string{verb};
  out.body = dump(body);
  out.bytes = std::move(bytes);
  out.deadline = deadline;
  return call_hub_now(system, *context.names, std::move(out));
}

/// Takes the offered pack, chunk by chunk, into a file.
result<fs::path> download(caf::actor_system& system,
                          const node_context& context, const std::string& id,
                          std::uint64_t size) {
  std::error_code problem;
  fs::create_directories(scratch_of(context), problem);
  auto file = scratch_of(context) / ("fetch-" + id + ".pack");
  unique_fd fd{
    ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
  for (std::uint64_t at = 0; at < size;) {
    auto chunk = call(system, context, msg::verb::fetch,
                      {{"id", id}, {"offset", at}}, {}, chunk_deadline);
    if (!chunk)
      return fail(chunk.error());
    const auto& bytes = chunk->bytes;
    if (bytes.empty())
      return fail(ec::not_reachable, "the hub sent less than it had offered");
    if (::pwrite(fd.get(), bytes.data(), bytes.size(), static_cast<off_t>(at))
        != static_cast<ssize_t>(bytes.size()))
      return fail(ec::home_unusable,
                  file.string() + ": " + std::strerror(errno));
    at += bytes.size();
  }
  return file;
}

/// What a hook's request says beside the updates.
struct hook_request {
  project_id project;
  std::vector<ref_update> updates;
  std::string quarantine;
  std::string token;
};

/// Sends the pack, then has the hub's forge decide.
result<void> carry(caf::actor_system& system, const node_context& context,
                   const hook_request& push) {
  git_runner git;
  auto id = make_ulid();
  auto dir = scratch_of(context) / ("push-" + id);
  struct removal {
    const fs::path& dir;
    ~removal() {
      std::error_code ignored;
      fs::remove_all(dir, ignored);
    }
  } remove_after{dir};
  auto pack = pack_push(git, relay_of(context, push.project),
                        {push.updates, push.quarantine}, dir);
  if (!pack)
    return fail(pack.error());
  unique_fd fd;
  std::uint64_t size = 0;
  if (!pack->empty()) {
    fd = unique_fd{::open(pack->c_str(), O_RDONLY | O_CLOEXEC)};
    std::error_code problem;
    size = fs::file_size(*pack, problem);
  }
  auto updates = json::array();
  for (const auto& u : push.updates)
    updates.push_back({{"old", u.old_sha}, {"new", u.new_sha}, {"ref", u.ref}});
  std::uint64_t at = 0;
  do {
    std::string bytes(std::min<std::uint64_t>(size - at, msg::longest_chunk),
                      '\0');
    if (!bytes.empty()
        && ::pread(fd.get(), bytes.data(), bytes.size(), static_cast<off_t>(at))
          != static_cast<ssize_t>(bytes.size()))
      return fail(ec::home_unusable, "the pack of a push cannot be read");
    json body{{"id", id}, {"offset", at}, {"last", at + bytes.size() >= size}};
    if (body["last"]) {
      body["project"] = push.project.text;
      body["updates"] = updates;
      body["token"] = push.token;
    }
    auto next = at + bytes.size();
    auto said = call(system, context, msg::verb::push, body, std::move(bytes),
                     body["last"] ? bulk_deadline : chunk_deadline);
    if (!said)
      return fail(said.error());
    at = next;
  } while (at < size);
  return {};
}

void refuse(const http::respond_once& respond, const error& why) {
  respond(why);
}

result<hook_request> hook_in(const http::request& what) {
  auto body = parse_json(what.body, "body");
  if (!body)
    return fail(body.error());
  auto told = api::read_push(*body);
  if (!told)
    return fail(told.error());
  return hook_request{told->project, told->updates,
                      body->value("quarantine", ""),
                      std::string{what.bearer()}};
}

/// As the forge's own hook says it. What passes is waited for by whoever asks,
/// as by one beside the hub.
error as_refusal(error why) {
  constexpr std::string_view front = "ao: ";
  if (why.context.compare(0, front.size(), front) == 0)
    why.context.erase(0, front.size());
  return why;
}

void answer_hook(caf::actor_system& system, const node_context& context,
                 const http::request& what, const http::respond_once& respond) {
  auto push = hook_in(what);
  if (!push)
    return refuse(respond, push.error());
  if (auto ok = carry(system, context, *push); !ok)
    return refuse(respond, as_refusal(ok.error()));
  respond(http::json_response(200, {{"allowed", true}}));
}

void pass_request(caf::actor_system& system, const node_context& context,
                  const http::request& what,
                  const http::respond_once& respond) {
  json body;
  if (!what.body.empty()) {
    auto parsed = parse_json(what.body, "body");
    if (!parsed)
      return refuse(respond, parsed.error());
    body = std::move(*parsed);
  }
  auto said = call(system, context, msg::verb::http,
                   {{"method", what.method},
                    {"target", what.target},
                    {"body", body},
                    {"token", std::string{what.bearer()}},
                    {"requestId", std::string{what.request_id()}}},
                   {}, milliseconds{18'000});
  if (!said)
    return refuse(respond, said.error());
  auto reply = parse_json(said->body, "answer");
  if (!reply)
    return refuse(respond, reply.error());
  respond(http::json_response(reply->value("status", 500),
                              reply->value("body", json{})));
}

bool is_hook(const http::request& what, std::string_view name) {
  return what.path.size() >= 2 && what.path[what.path.size() - 2] == "hooks"
    && what.path.back() == name;
}

/// Takes what the hub's forge has and the relay has not.
result<void> follow_hub(caf::actor_system& system, const node_context& context,
                        const project_id& project) {
  git_runner git;
  auto relay = relay_of(context, project);
  auto have = heads_of(git, relay);
  if (!have)
    return fail(have.error());
  auto commits = json::array();
  for (const auto& [name, oid] : *have)
    commits.push_back(oid);
  auto offer
    = call(system, context, msg::verb::fetch,
           {{"project", project.text}, {"have", commits}}, {}, bulk_deadline);
  if (!offer)
    return fail(offer.error());
  auto told = parse_json(offer->body, "offer");
  if (!told)
    return fail(told.error());
  auto size = told->value("size", std::uint64_t{0});
  if (size > 0) {
    auto file = download(system, context, told->value("id", ""), size);
    if (!file)
      return fail(file.error());
    if (auto ok = take_pack(git, relay, *file); !ok)
      return ok;
  }
  return follow_heads(
    git, relay, told->value("heads", std::map<std::string, std::string>{}));
}

} // namespace

http::handler make_relay_handler(caf::actor_system& system, reader_pool& pool,
                                 const node_context& context) {
  return
    [&system, &pool, context](http::request what, http::respond_once respond) {
      if (is_hook(what, "post-receive")) {
        // The hub's forge has its own.
        respond(http::json_response(200, {{"seen", 0}}));
        return;
      }
      if (what.wants_events()) {
        respond(error{ec::bad_input,
                      "a node does not pass streams on; ask without --follow"});
        return;
      }
      // It waits for the hub.
      pool.post([&system, context, what = std::move(what),
                 respond = std::move(respond)] {
        if (is_hook(what, "pre-receive"))
          answer_hook(system, context, what, respond);
        else
          pass_request(system, context, what, respond);
      });
    };
}

result<void> refresh_relay(caf::actor_system& system,
                           const node_context& context,
                           const project_id& project) {
  git_runner git;
  const auto* settings = context.project(project);
  if (settings == nullptr)
    return fail(ec::no_such_project, "the hub has told of no " + project.text);
  if (auto ok
      = make_relay(git, relay_of(context, project), settings->default_branch,
                   hook_target{context.programs + "/ao", context.place->root(),
                               project.text});
      !ok)
    return ok;
  auto until = std::chrono::steady_clock::now() + bulk_deadline;
  for (;;) {
    auto done = follow_hub(system, context, project);
    // A hub that is away for a moment costs no session its start; when it stays
    // away, the fence ends what waits here.
    if (done || done.error().code != ec::not_reachable
        || std::chrono::steady_clock::now() >= until)
      return done;
    std::this_thread::sleep_for(hub_pause);
  }
}

} // namespace ao
