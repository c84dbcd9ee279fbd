#include "runtime/cluster/renewal.hpp"

#include "messages/json.hpp"
#include "runtime/cluster/kept_file.hpp"
#include "runtime/home/files.hpp"
#include "runtime/tls/files.hpp"

#include <algorithm>
#include <filesystem>
#include <initializer_list>

namespace ao {
namespace {

std::string next_file(const home& place) {
  return place.tls() + "/next.json";
}

/// The identity that was in place before.
std::string last_file(const home& place) {
  return place.tls() + "/last.json";
}

bool is_there(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

result<void> remove_files(std::initializer_list<std::string> paths) {
  for (const auto& path : paths) {
    std::error_code problem;
    std::filesystem::remove(path, problem);
    if (problem)
      return fail(ec::home_unusable, path + ": " + problem.message());
  }
  return {};
}

result<void> keep(const std::string& path, const renewal& x) {
  return write_file_durably(path,
                            dump(json{{"key", x.key},
                                      {"request", x.request},
                                      {"certificate", x.certificate},
                                      {"credential", x.credential}})
                              + "\n");
}

result<std::optional<renewal>> read_identity_file(const std::string& path) {
  auto kept = read_kept_json(path);
  if (!kept)
    return fail(kept.error());
  if (!*kept)
    return std::optional<renewal>{};
  const auto& in = **kept;
  return std::optional<renewal>{
    renewal{in.value("key", ""), in.value("request", ""),
            in.value("certificate", ""), in.value("credential", "")}};
}

/// The three files are written one by one: `settle_renewal` ends what a death
/// has left of it.
result<node_membership> put_in_place(const home& place, const renewal& x) {
  auto hub = read_membership(place);
  if (!hub)
    return hub;
  auto files = tls::node_files(place);
  if (auto ok = write_file_durably(files.key, x.key); !ok)
    return fail(ok.error());
  if (auto ok = write_file_durably(files.certificate, x.certificate); !ok)
    return fail(ok.error());
  hub->credential = x.credential;
  if (auto ok = write_membership(place, *hub); !ok)
    return fail(ok.error());
  return hub;
}

} // namespace

result<std::optional<renewal>> read_renewal(const home& place) {
  return read_identity_file(next_file(place));
}

result<renewal> begin_renewal(const home& place, const node_name& name) {
  auto key = tls::make_key();
  if (!key)
    return fail(key.error());
  auto request = tls::make_request(*key, name.text);
  if (!request)
    return fail(request.error());
  renewal out{std::move(*key), std::move(*request), {}, {}};
  if (auto ok = keep(next_file(place), out); !ok)
    return fail(ok.error());
  return out;
}

result<renewal> keep_answer(const home& place, renewal x,
                            const std::string& certificate,
                            const std::string& credential) {
  auto together = tls::belong_together({certificate, x.key});
  if (!together || !*together)
    return fail(ec::internal, "the hub has certified another key");
  x.certificate = certificate;
  x.credential = credential;
  if (auto ok = keep(next_file(place), x); !ok)
    return fail(ok.error());
  return x;
}

result<node_membership> install_renewal(const home& place, const renewal& x) {
  // A second try finds the new ones in place already.
  if (!is_there(last_file(place))) {
    auto files = tls::node_files(place);
    auto key = read_file(files.key);
    auto certificate = read_file(files.certificate);
    auto hub = read_membership(place);
    if (!key)
      return fail(key.error());
    if (!certificate)
      return fail(certificate.error());
    if (!hub)
      return hub;
    if (auto ok
        = keep(last_file(place), {*key, {}, *certificate, hub->credential});
        !ok)
      return fail(ok.error());
  }
  return put_in_place(place, x);
}

result<void> finish_renewal(const home& place) {
  // In this order: without the new one's file an old one means nothing.
  return remove_files({next_file(place), last_file(place)});
}

result<node_membership> undo_renewal(const home& place) {
  auto last = read_identity_file(last_file(place));
  if (!last)
    return fail(last.error());
  auto hub = *last ? put_in_place(place, **last) : read_membership(place);
  if (!hub)
    return hub;
  if (auto ok = finish_renewal(place); !ok)
    return fail(ok.error());
  return hub;
}

result<void> settle_renewal(const home& place) {
  auto next = read_renewal(place);
  if (!next)
    return fail(next.error());
  if (!*next)
    return remove_files({last_file(place)});
  if (!is_there(last_file(place)))
    return {};
  if (auto ok = install_renewal(place, **next); !ok)
    return fail(ok.error());
  return {};
}

std::optional<error> expiry_problem(const home& place, const node_name& name,
                                    wall_time now) {
  auto pem = read_file(tls::node_files(place).certificate);
  if (!pem)
    return std::nullopt;
  auto facts = tls::read_certificate(*pem);
  if (!facts || now <= facts->not_after)
    return std::nullopt;
  return error{ec::certificate_expired, expiry_text(name, facts->not_after)};
}

result<std::string> sign_renewal(const cluster_node& row,
                                 const tls::identity& authority,
                                 const std::string& request, wall_time now,
                                 std::chrono::seconds life) {
  using std::chrono::seconds;
  // Certificates know whole seconds.
  auto left = std::chrono::ceil<seconds>(row.certified_until - now);
  return tls::sign_request(authority, request, row.name.text, now,
                           std::max(life, left + seconds{2}));
}

std::optional<cluster_node> with_shown(cluster_node row,
                                       const node_credential& claims) {
  if (claims.name != row.name)
    return std::nullopt;
  if (claims.serial == row.serial)
    return row;
  if (claims.until <= row.certified_until)
    return std::nullopt;
  row.serial = claims.serial;
  row.certified_until = claims.until;
  return row;
}

std::string expiry_text(const node_name& name, wall_time until) {
  return "the certificate of " + name.text + " counted until "
    + format_time(until) + "; on the hub: ao node token --name " + name.text
    + ", then on the node, with ao-node stopped: ao-node join <host:port> "
      "<token>";
}

} // namespace ao
