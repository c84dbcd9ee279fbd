#include "runtime/tls/files.hpp"

#include "runtime/home/files.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace ao::tls {
namespace {

constexpr std::size_t longest_file = 64 * 1024;

/// A file of this user that nobody else can read.
result<std::string> read_private(const std::string& path, ec missing) {
  struct stat there {};
  if (::lstat(path.c_str(), &there) != 0)
    return fail(errno == ENOENT ? missing : ec::home_unusable,
                path + ": " + std::strerror(errno));
  if (!S_ISREG(there.st_mode) || there.st_uid != ::geteuid()
      || (there.st_mode & 0077) != 0)
    return fail(ec::home_unusable,
                path + ": is not a private file of this user; run: chmod 600 "
                  + path);
  return read_file(path, longest_file);
}

} // namespace

identity_files hub_files(const home& place) {
  return {place.tls() + "/ca.pem", place.tls() + "/hub.pem",
          place.tls() + "/hub.key"};
}

identity_files node_files(const home& place) {
  return {place.tls() + "/ca.pem", place.tls() + "/node.pem",
          place.tls() + "/node.key"};
}

std::string authority_key_file(const home& place) {
  return place.tls() + "/ca.key";
}

result<certificate_facts> init_cluster(const home& place,
                                       const std::vector<std::string>& hosts,
                                       wall_time now) {
  auto files = hub_files(place);
  struct stat there {};
  if (::lstat(files.authority.c_str(), &there) == 0)
    return fail(ec::wrong_state,
                "the cluster has its authority already (" + files.authority
                  + "); a new one would lock every node out; to do that, "
                    "remove "
                  + place.tls() + " first");
  auto authority = make_authority(now);
  if (!authority)
    return fail(authority.error());
  auto hub = make_hub_identity(*authority, hosts, now);
  if (!hub)
    return fail(hub.error());
  const std::pair<std::string, const std::string*> parts[]
    = {{authority_key_file(place), &authority->key},
       {files.key, &hub->key},
       {files.certificate, &hub->certificate},
       {files.authority, &authority->certificate}};
  for (const auto& [path, text] : parts)
    if (auto ok = write_file_durably(path, *text); !ok)
      return fail(ok.error());
  return read_certificate(authority->certificate);
}

result<identity> read_authority(const home& place) {
  auto cert
    = read_private(hub_files(place).authority, ec::cluster_not_initialised);
  auto key
    = read_private(authority_key_file(place), ec::cluster_not_initialised);
  if (!cert || !key)
    return fail((cert ? key : cert).error());
  return identity{std::move(*cert), std::move(*key)};
}

result<certificate_facts> check_files(const identity_files& files, ec missing,
                                      wall_time now) {
  auto authority = read_private(files.authority, missing);
  auto cert = read_private(files.certificate, missing);
  auto key = read_private(files.key, missing);
  for (const auto* part : {&authority, &cert, &key})
    if (!*part)
      return fail(part->error());
  auto together = belong_together({*cert, *key});
  if (!together)
    return fail(missing, files.key + ": " + together.error().context);
  if (!*together)
    return fail(missing, files.key + " is not the key of " + files.certificate);
  if (auto ca = read_certificate(*authority); !ca)
    return fail(missing, files.authority + ": " + ca.error().context);
  auto facts = read_certificate(*cert);
  if (!facts)
    return fail(missing, files.certificate + ": " + facts.error().context);
  if (now < facts->not_before || now > facts->not_after)
    return fail(missing,
                files.certificate + " counts from "
                  + format_time(facts->not_before) + " to "
                  + format_time(facts->not_after) + ", not now");
  return facts;
}

} // namespace ao::tls
