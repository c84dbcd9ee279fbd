#include "actors/node_proxy_parts.hpp"
#include "runtime/api/requests.hpp"
#include "runtime/cluster/packs.hpp"
#include "runtime/http/client.hpp"
#include "runtime/io/fd.hpp"
#include "runtime/rules/join_tokens.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>

namespace ao::node_proxy_parts {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::minutes bulk_limit{10};

/// Keeps the promise by what a job makes.
template <class Work>
void answer_by(self_pointer self, milliseconds limit, reply_promise promise,
               Work work) {
  run_job(
    self, self->state.context, limit, std::move(work),
    [promise](const msg::wire_reply& reply) mutable { promise.deliver(reply); },
    [promise](const caf::error& why) mutable { promise.deliver(why); });
}

/// Ids are names of files.
result<std::string> id_in(const json& in) {
  auto id = in.value("id", "");
  if (id.empty() || id.size() > 60
      || id.find_first_not_of("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
        != std::string::npos)
    return fail(ec::bad_input, "id: expected a ULID");
  return id;
}

result<json> body_of(const msg::wire_call& call) {
  return parse_json(call.body, "body");
}

/// The forge of the project that is named.
result<std::string> forge_in(self_pointer self, const json& in) {
  auto& context = self->state.context;
  project_id project{in.value("project", "")};
  if (context.project(project) == nullptr)
    return fail(ec::no_such_project,
                "the configuration has no project " + project.text);
  return context.place->forge() + "/" + project.text + ".git";
}

result<msg::wire_reply> chunk_of(const fs::path& file, std::uint64_t offset) {
  unique_fd fd{::open(file.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!fd)
    return fail(ec::wrong_state, "this fetch is over; begin again");
  msg::wire_reply out;
  out.bytes.resize(msg::longest_chunk);
  auto n = ::pread(fd.get(), out.bytes.data(), out.bytes.size(),
                   static_cast<off_t>(offset));
  if (n < 0)
    return fail(ec::home_unusable, file.string() + ": " + std::strerror(errno));
  out.bytes.resize(static_cast<std::size_t>(n));
  // The reader has all.
  if (static_cast<std::size_t>(n) < msg::longest_chunk)
    ::unlink(file.c_str());
  return out;
}

result<msg::wire_reply> offer(const std::string& forge,
                              const std::vector<std::string>& have,
                              const fs::path& scratch) {
  auto id = make_ulid();
  auto dir = scratch / ("offer-" + id);
  auto made = pack_new(git_runner{}, forge, have, dir);
  if (!made)
    return fail(made.error());
  json out{{"heads", made->heads}, {"size", made->size}, {"id", id}};
  std::error_code problem;
  if (!made->file.empty())
    fs::rename(made->file, scratch / (id + ".offer"), problem);
  fs::remove_all(dir, problem);
  return msg::wire_reply{dump(out), {}};
}

result<void> keep_chunk(const fs::path& file, std::uint64_t offset,
                        const std::string& bytes) {
  std::error_code problem;
  fs::create_directories(file.parent_path(), problem);
  auto flags = O_WRONLY | O_CREAT | O_CLOEXEC | (offset == 0 ? O_TRUNC : 0);
  unique_fd fd{::open(file.c_str(), flags, 0600)};
  if (!fd
      || ::pwrite(fd.get(), bytes.data(), bytes.size(),
                  static_cast<off_t>(offset))
        != static_cast<ssize_t>(bytes.size()))
    return fail(ec::home_unusable, file.string() + ": " + std::strerror(errno));
  return {};
}

/// A push as its last chunk tells it.
struct told_push {
  std::string forge;
  std::vector<ref_update> updates;
  std::vector<std::pair<std::string, std::string>> env;
};

/// What a node passes on was said by a session of its own. Errors:
/// `not_allowed`. Of a token that does not count any more the API says so.
result<void> check_token(self_pointer self, const json& in) {
  const auto& st = self->state;
  auto claims = verify_token(*st.context.secret, in.value("token", ""));
  if (!claims)
    return {};
  auto row = st.context.rows->find<session>(claims->session.text);
  if (row && row->node != st.node && row->epoch == claims->epoch
      && row->run == claims->run)
    return fail(ec::not_allowed,
                "the token is of " + row->id.text + ", which is not on "
                  + st.node.text);
  return {};
}

} // namespace

void pass_request(self_pointer self, const msg::wire_call& call,
                  reply_promise promise) {
  auto asked = parse_json(call.body, "request");
  if (!asked)
    return refuse(promise, asked.error());
  if (auto ok = check_token(self, *asked); !ok)
    return refuse(promise, ok.error());
  answer_by(
    self, api_deadline, promise,
    [socket = self->state.context.place->agent_socket(),
     in = std::move(*asked)]() -> result<msg::wire_reply> {
      auto body = in.value("body", json{});
      http::api_client::header_list headers;
      if (auto id = in.value("requestId", ""); !id.empty())
        headers.emplace_back("Idempotency-Key", id);
      http::api_client client{socket, in.value("token", "")};
      auto reply = client.call(in.value("method", ""), in.value("target", ""),
                               body, headers, milliseconds{api_deadline});
      if (!reply)
        return fail(reply.error());
      return msg::wire_reply{
        dump(json{{"status", reply->status}, {"body", reply->body}}), {}};
    });
}

void serve_fetch(self_pointer self, const msg::wire_call& call,
                 reply_promise promise) {
  auto in = body_of(call);
  if (!in)
    return refuse(promise, in.error());
  fs::path scratch = scratch_of(self);
  if (in->contains("offset")) {
    auto id = id_in(*in);
    if (!id)
      return refuse(promise, id.error());
    return answer_by(self, bulk_limit, promise,
                     [file = scratch / (*id + ".offer"),
                      offset = in->value("offset", std::uint64_t{0})] {
                       return chunk_of(file, offset);
                     });
  }
  auto forge = forge_in(self, *in);
  if (!forge)
    return refuse(promise, forge.error());
  answer_by(self, bulk_limit, promise,
            [forge = *forge, scratch,
             have = in->value("have", std::vector<std::string>{})] {
              return offer(forge, have, scratch);
            });
}

void take_push(self_pointer self, const msg::wire_call& call,
               reply_promise promise) {
  auto in = body_of(call);
  auto id = in ? id_in(*in) : result<std::string>{fail(in.error())};
  if (!id)
    return refuse(promise, id.error());
  auto& context = self->state.context;
  fs::path scratch = scratch_of(self);
  auto file = scratch / ("push-" + *id + ".pack");
  auto offset = in->value("offset", std::uint64_t{0});
  std::optional<told_push> last;
  if (in->value("last", false)) {
    auto forge = forge_in(self, *in);
    auto told = api::read_push(*in);
    if (!forge || !told)
      return refuse(promise, forge ? told.error() : forge.error());
    last = told_push{*forge,
                     told->updates,
                     {{"AO_SOCKET", context.place->agent_socket()},
                      {"AO_TOKEN", in->value("token", "")}}};
  }
  answer_by(self, bulk_limit, promise,
            [file, offset, bytes = call.bytes, last, scratch,
             id = *id]() -> result<msg::wire_reply> {
              auto empty = offset == 0 && bytes.empty();
              if (!empty)
                if (auto ok = keep_chunk(file, offset, bytes); !ok)
                  return fail(ok.error());
              if (!last)
                return msg::wire_reply{"{}", {}};
              auto done = carry_push(git_runner{}, last->forge,
                                     empty ? fs::path{} : file, last->updates,
                                     last->env, scratch / ("carry-" + id));
              std::error_code ignored;
              fs::remove(file, ignored);
              if (!done)
                return fail(done.error());
              return msg::wire_reply{"{}", {}};
            });
}

} // namespace ao::node_proxy_parts
