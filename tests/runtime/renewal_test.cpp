#include "runtime/cluster/credential.hpp"
#include "runtime/cluster/renewal.hpp"
#include "runtime/home/files.hpp"
#include "runtime/tls/channel.hpp"
#include "runtime/tls/files.hpp"

#include <gmock/gmock.h>

#include <filesystem>

using namespace ao;
using namespace std::chrono_literals;
using testing::HasSubstr;
namespace fs = std::filesystem;

namespace {

/// A hub's authority, and a node that has joined.
class Renewal : public testing::Test {
protected:
  Renewal() {
    auto name = (fs::temp_directory_path() / "ao-renewal-XXXXXX").string();
    root = ::mkdtemp(name.data());
    hub = *open_home((root / "hub").string());
    node = *open_home((root / "node").string());
    EXPECT_TRUE(tls::init_cluster(hub, {"127.0.0.1"}, now));
    authority = *tls::read_authority(hub);
    auto files = tls::node_files(node);
    auto key = *tls::make_key();
    auto certificate = *tls::sign_request(
      authority, *tls::make_request(key, "n1"), "n1", now, 30s);
    row.name = node_name{"n1"};
    row.serial = tls::read_certificate(certificate)->serial;
    row.certified_until = tls::read_certificate(certificate)->not_after;
    EXPECT_TRUE(write_file_durably(files.authority, authority.certificate));
    EXPECT_TRUE(write_file_durably(files.key, key));
    EXPECT_TRUE(write_file_durably(files.certificate, certificate));
    EXPECT_TRUE(write_membership(node, {row.name, "h:1", "old"}));
  }

  ~Renewal() override { fs::remove_all(root); }

  /// The renewal up to the hub's answer.
  renewal certified() {
    auto begun = begin_renewal(node, row.name);
    EXPECT_TRUE(begun) << to_string(begun.error());
    auto kept = keep_answer(
      node, *begun, *sign_renewal(row, authority, begun->request, now, 90s),
      "new");
    EXPECT_TRUE(kept) << to_string(kept.error());
    return *kept;
  }

  std::string in_place(const std::string& file) const {
    return *read_file(node.tls() + "/" + file);
  }

  bool under_way() const {
    return fs::exists(node.tls() + "/next.json")
      || fs::exists(node.tls() + "/last.json");
  }

  /// Which identity the node would start with; "broken" when its parts do not
  /// belong together.
  std::string identity_after_start() const {
    EXPECT_TRUE(settle_renewal(node));
    if (!tls::check_files(tls::node_files(node), ec::node_not_joined, now))
      return "broken";
    return read_membership(node)->credential;
  }

  fs::path root;
  home hub{"", ""};
  home node{"", ""};
  wall_time now = wall_now();
  tls::identity authority;
  cluster_node row;
};

TEST_F(Renewal, IsDueAtTwoThirdsOfTheLife) {
  auto facts = *tls::read_certificate(in_place("node.pem"));
  // Certificates know whole seconds.
  EXPECT_FALSE(tls::wants_renewal(facts, now + 18s));
  EXPECT_TRUE(tls::wants_renewal(facts, now + 20s));
  EXPECT_EQ(tls::renewal_pause(facts), 1s);
  EXPECT_FALSE(expiry_problem(node, row.name, now));
  auto why = expiry_problem(node, row.name, now + 31s);
  ASSERT_TRUE(why);
  EXPECT_EQ(why->code, ec::certificate_expired);
  EXPECT_THAT(why->context, HasSubstr("ao node token --name n1"));
  EXPECT_THAT(why->context, HasSubstr("ao-node join"));
}

TEST_F(Renewal, IsFoundAgainAfterADeathAtAnyStep) {
  auto begun = *begin_renewal(node, row.name);
  EXPECT_EQ(identity_after_start(), "old");
  // The same request, so that the hub knows it again.
  EXPECT_EQ((*read_renewal(node))->request, begun.request);
  auto certificate = *sign_renewal(row, authority, begun.request, now, 90s);
  auto next = *keep_answer(node, begun, certificate, "new");
  EXPECT_EQ(identity_after_start(), "old");
  EXPECT_EQ((*read_renewal(node))->certificate, certificate);
  ASSERT_TRUE(install_renewal(node, next));
  EXPECT_EQ(identity_after_start(), "new");
  EXPECT_TRUE(under_way());
  ASSERT_TRUE(finish_renewal(node));
  EXPECT_EQ(identity_after_start(), "new");
  EXPECT_FALSE(under_way());
}

TEST_F(Renewal, EndsAnExchangeThatWasCutInTwo) {
  auto old_key = in_place("node.key");
  auto old_certificate = in_place("node.pem");
  auto next = certified();
  ASSERT_TRUE(install_renewal(node, next));
  // Died after the key, then after the certificate.
  ASSERT_TRUE(write_file_durably(node.tls() + "/node.pem", old_certificate));
  ASSERT_TRUE(write_membership(node, {row.name, "h:1", "old"}));
  EXPECT_EQ(identity_after_start(), "new");
  ASSERT_TRUE(write_membership(node, {row.name, "h:1", "old"}));
  EXPECT_EQ(identity_after_start(), "new");
  // What is kept is still the first one.
  ASSERT_TRUE(undo_renewal(node));
  EXPECT_EQ(identity_after_start(), "old");
  EXPECT_EQ(in_place("node.key"), old_key);
  EXPECT_FALSE(under_way());
}

TEST_F(Renewal, RemovesWhatADeathHasLeftAtTheEnd) {
  ASSERT_TRUE(install_renewal(node, certified()));
  fs::remove(node.tls() + "/next.json");
  EXPECT_EQ(identity_after_start(), "new");
  EXPECT_FALSE(under_way());
}

TEST_F(Renewal, IsUndoneWhenNothingWasInstalled) {
  certified();
  auto back = undo_renewal(node);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->credential, "old");
  EXPECT_FALSE(under_way());
}

TEST_F(Renewal, TakesNoCertificateOfAnotherKey) {
  auto begun = *begin_renewal(node, row.name);
  auto other = *tls::sign_request(
    authority, *tls::make_request(*tls::make_key(), "n1"), "n1", now);
  EXPECT_FALSE(keep_answer(node, begun, other, "new"));
  EXPECT_TRUE((*read_renewal(node))->certificate.empty());
}

TEST_F(Renewal, IsSignedForTheNodesNameAlone) {
  auto request = *tls::make_request(*tls::make_key(), "hub");
  auto certificate = sign_renewal(row, authority, request, now, 90s);
  ASSERT_TRUE(certificate) << to_string(certificate.error());
  EXPECT_EQ(tls::read_certificate(*certificate)->name, "n1");
  EXPECT_FALSE(sign_renewal(row, authority, "none", now, 90s));
}

TEST_F(Renewal, CountsLongerThanTheOneBeforeThoughLivesWereMadeShorter) {
  auto request = *tls::make_request(*tls::make_key(), "n1");
  auto facts = *tls::read_certificate(
    *sign_renewal(row, authority, request, now + 20s, 1s));
  EXPECT_GT(facts.not_after, row.certified_until);
}

TEST_F(Renewal, BothCountUntilTheNewOneIsShown) {
  auto facts = *tls::read_certificate(*sign_renewal(
    row, authority, *tls::make_request(*tls::make_key(), "n1"), now, 90s));
  node_credential old{row.name, row.serial, row.certified_until};
  node_credential next{row.name, facts.serial, facts.not_after};
  EXPECT_EQ(with_shown(row, old)->serial, row.serial);
  auto shown = with_shown(row, next);
  ASSERT_TRUE(shown);
  EXPECT_EQ(shown->serial, facts.serial);
  EXPECT_EQ(shown->certified_until, facts.not_after);
  // From now on the old one is nobody's.
  EXPECT_FALSE(with_shown(*shown, old));
  EXPECT_EQ(with_shown(*shown, next)->serial, facts.serial);
  next.name = node_name{"n2"};
  EXPECT_FALSE(with_shown(row, next));
  // One that says nothing of its end is of a first certificate.
  EXPECT_FALSE(with_shown(row, {row.name, "beef", {}}));
}

TEST_F(Renewal, IsProvenOnlyByAHubThatSpeaks) {
  auto files = tls::hub_files(hub);
  auto opened = tls::door::open(files, "127.0.0.1", 0,
                                [](const auto&) { return std::string{}; });
  ASSERT_TRUE(opened);
  tls::identity own{in_place("node.pem"), in_place("node.key")};
  auto proven = tls::prove_identity({"127.0.0.1", opened->port()}, own,
                                    authority.certificate, 300ms);
  ASSERT_FALSE(proven);
  EXPECT_EQ(proven.error().code, ec::timed_out);
  // Another authority's hub is not even shown the certificate.
  auto other = tls::make_authority(now);
  proven = tls::prove_identity({"127.0.0.1", opened->port()}, own,
                               other->certificate, 5s);
  ASSERT_FALSE(proven);
  EXPECT_EQ(proven.error().code, ec::bad_token);
}

} // namespace
