#include "runtime/home/files.hpp"
#include "runtime/home/home.hpp"
#include "runtime/home/lock.hpp"
#include "runtime/home/token.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

using namespace ao;
namespace fs = std::filesystem;

namespace {

class Home : public testing::Test {
protected:
  Home() {
    char name[] = "/tmp/ao-home-XXXXXX";
    directory_ = ::mkdtemp(name);
  }
  ~Home() override { fs::remove_all(directory_); }

  unsigned mode_of(const std::string& path) {
    struct stat there {};
    return ::lstat(path.c_str(), &there) == 0 ? there.st_mode & 07777 : 0;
  }

  std::string directory_;
};

/// One variable of the environment, for one test.
class variable {
public:
  variable(const char* name, const std::string& value) : name_(name) {
    if (const auto* old = ::getenv(name))
      old_ = old;
    ::setenv(name, value.c_str(), 1);
  }
  ~variable() {
    if (old_)
      ::setenv(name_, old_->c_str(), 1);
    else
      ::unsetenv(name_);
  }

private:
  const char* name_;
  std::optional<std::string> old_;
};

const home_secret secret{std::string(32, 's')};

const token_claims claims{
  session_id{"app-7"}, 3, 2, "worker", project_id{"app"}, task_id{"T42"}};

} // namespace

TEST_F(Home, IsMadePrivate) {
  auto made = open_home(directory_ + "/a/b");
  ASSERT_TRUE(made) << to_string(made.error());
  EXPECT_EQ(mode_of(made->root()), 0700u);
  EXPECT_EQ(mode_of(made->run_dir()), 0700u);
  EXPECT_EQ(made->hub_socket(), directory_ + "/a/b/run/hub.sock");
  EXPECT_TRUE(open_home(directory_ + "/a/b"));
}

TEST_F(Home, IsRefusedWhenOthersMayEnter) {
  ASSERT_EQ(::chmod(directory_.c_str(), 0755), 0);
  auto made = open_home(directory_);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ec::home_unusable);
  EXPECT_NE(made.error().context.find("chmod 700 " + directory_),
            std::string::npos);
}

TEST_F(Home, IsRefusedWhenItIsAFile) {
  ASSERT_TRUE(write_file_durably(directory_ + "/f", "x"));
  EXPECT_FALSE(open_home(directory_ + "/f"));
  EXPECT_FALSE(open_home(directory_ + "/f/below"));
  EXPECT_FALSE(open_home("relative"));
}

TEST_F(Home, IsRefusedWhenItBelongsToSomebodyElse) {
  if (::geteuid() != 0)
    GTEST_SKIP() << "only root can give files away";
  ASSERT_EQ(::chown(directory_.c_str(), 65534, 65534), 0);
  EXPECT_FALSE(open_home(directory_));
}

TEST_F(Home, MovesItsSocketsWhenItsPathIsLong) {
  variable runtime{"XDG_RUNTIME_DIR", directory_};
  auto path = directory_ + "/" + std::string(80, 'x');
  auto made = open_home(path);
  ASSERT_TRUE(made) << to_string(made.error());
  EXPECT_EQ(made->run_dir().rfind(directory_ + "/ao-", 0), 0u);
  EXPECT_LE(made->run_dir().size(), longest_run_dir);
  EXPECT_EQ(fs::read_symlink(path + "/run"), made->run_dir());
  EXPECT_EQ(mode_of(made->run_dir()), 0700u);
  {
    // Another environment finds the same sockets.
    variable other{"XDG_RUNTIME_DIR", "/nonexistent"};
    EXPECT_EQ(open_home(path)->run_dir(), made->run_dir());
    EXPECT_EQ(locate_home(path).run_dir(), made->run_dir());
  }
  // After a reboot the directory is made again.
  fs::remove_all(made->run_dir());
  EXPECT_EQ(open_home(path)->run_dir(), made->run_dir());
  EXPECT_EQ(mode_of(made->run_dir()), 0700u);
}

TEST_F(Home, TakesNoShortDirectoryThatOthersPrepared) {
  variable runtime{"XDG_RUNTIME_DIR", directory_};
  auto path = directory_ + "/" + std::string(80, 'x');
  auto place = locate_home(path).run_dir();
  ASSERT_EQ(::mkdir(place.c_str(), 0700), 0);
  ASSERT_EQ(::chmod(place.c_str(), 0777), 0);
  EXPECT_FALSE(open_home(path));
  fs::remove_all(place);
  fs::create_directory_symlink("/tmp", place);
  EXPECT_FALSE(open_home(path));
}

TEST_F(Home, HasOneHolderOfItsLock) {
  auto where = open_home(directory_);
  ASSERT_TRUE(where);
  EXPECT_FALSE(find_lock_holder(*where)->has_value());
  {
    auto first = home_lock::take(*where);
    ASSERT_TRUE(first);
    auto second = home_lock::take(*where);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ec::hub_already_running);
    ASSERT_EQ(second.error().details.size(), 1u);
    EXPECT_EQ(second.error().details[0].second, std::to_string(::getpid()));
    EXPECT_EQ((*find_lock_holder(*where))->pid, ::getpid());
  }
  // Its file stays, its pid is in it, and yet nobody lives.
  EXPECT_FALSE(find_lock_holder(*where)->has_value());
  EXPECT_TRUE(home_lock::take(*where));
}

TEST_F(Home, IsFreeWhenTheHolderIsKilled) {
  auto where = open_home(directory_);
  ASSERT_TRUE(where);
  int ready[2];
  ASSERT_EQ(::pipe2(ready, O_CLOEXEC), 0);
  auto child = ::fork();
  if (child == 0) {
    auto lock = home_lock::take(*where);
    if (lock && ::write(ready[1], "x", 1) == 1)
      ::pause();
    ::_exit(1);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  EXPECT_EQ((*find_lock_holder(*where))->pid, child);
  ::kill(child, SIGKILL);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ::close(ready[0]);
  ::close(ready[1]);
  EXPECT_FALSE(find_lock_holder(*where)->has_value());
}

TEST_F(Home, WithoutADirectoryHasNoHolder) {
  EXPECT_FALSE(find_lock_holder(locate_home(directory_ + "/no"))->has_value());
}

TEST_F(Home, KeepsItsSecret) {
  auto where = open_home(directory_);
  auto made = load_or_make_secret(*where);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->bytes.size(), 32u);
  EXPECT_EQ(mode_of(where->secret()), 0600u);
  EXPECT_EQ(load_or_make_secret(*where)->bytes, made->bytes);
  ASSERT_EQ(::chmod(where->secret().c_str(), 0644), 0);
  EXPECT_FALSE(load_or_make_secret(*where));
  ASSERT_TRUE(write_file_durably(where->secret(), "short"));
  EXPECT_FALSE(load_or_make_secret(*where));
}

TEST_F(Home, ReplacesAFileAsAWhole) {
  auto path = directory_ + "/f";
  ASSERT_TRUE(write_file_durably(path, "one", 0600));
  ASSERT_TRUE(write_file_durably(path, "two", 0640));
  EXPECT_EQ(*read_file(path), "two");
  EXPECT_EQ(mode_of(path), 0640u);
  EXPECT_EQ(read_file(path, 2).error().code, ec::too_large);
  EXPECT_FALSE(write_file_durably(directory_ + "/no/f", "x"));
  // Nothing temporary is left behind, also not after a failure.
  ASSERT_EQ(::mkdir((directory_ + "/d").c_str(), 0700), 0);
  EXPECT_FALSE(write_file_durably(directory_ + "/d", "x"));
  EXPECT_EQ(
    std::distance(fs::directory_iterator{directory_}, fs::directory_iterator{}),
    2);
}

TEST(Token, ComesBackAsItsClaims) {
  auto token = mint_token(secret, claims);
  EXPECT_EQ(token.rfind("aot_", 0), 0u);
  auto back = verify_token(secret, token);
  ASSERT_TRUE(back) << to_string(back.error());
  EXPECT_EQ(*back, claims);
}

TEST(Token, OfAnotherHomeIsRefused) {
  auto token = mint_token(home_secret{std::string(32, 'z')}, claims);
  EXPECT_EQ(verify_token(secret, token).error().code, ec::bad_token);
  EXPECT_FALSE(verify_token(home_secret{}, mint_token(home_secret{}, claims)));
}

TEST(Token, OfMixedPartsIsRefused) {
  auto mine = mint_token(secret, claims);
  auto other = claims;
  other.role = "orchestrator";
  auto theirs = mint_token(secret, other);
  auto forged
    = theirs.substr(0, theirs.find('.')) + mine.substr(mine.find('.'));
  EXPECT_FALSE(verify_token(secret, forged));
  for (std::string text : {"", "aot_", "aot_.", "aot_e30.", "aot_e30"})
    EXPECT_FALSE(verify_token(secret, text)) << text;
  EXPECT_FALSE(verify_token(secret, mine + "A"));
  EXPECT_FALSE(verify_token(secret, mine.substr(0, mine.size() - 1)));
}

RC_GTEST_PROP(Token, WithAnyOneCharacterChangedIsRefused, ()) {
  auto token = mint_token(secret, claims);
  auto at = *rc::gen::inRange<std::size_t>(0, token.size());
  auto to = *rc::gen::arbitrary<char>();
  RC_PRE(token[at] != to);
  token[at] = to;
  RC_ASSERT(!verify_token(secret, token));
}

TEST(Unguessable, IsAnotherEachTime) {
  auto secret = make_shared_secret();
  EXPECT_EQ(secret.size(), 43u);
  EXPECT_NE(secret, make_shared_secret());
  auto code = make_code();
  EXPECT_EQ(code.size(), 8u);
  EXPECT_EQ(code.find_first_of("0O1IL"), std::string::npos);
  EXPECT_NE(code, make_code());
}

TEST(Unguessable, IsComparedWhole) {
  EXPECT_TRUE(equal_in_constant_time("", ""));
  EXPECT_TRUE(equal_in_constant_time("secret", "secret"));
  EXPECT_FALSE(equal_in_constant_time("secret", "secreT"));
  EXPECT_FALSE(equal_in_constant_time("secret", "Secret"));
  EXPECT_FALSE(equal_in_constant_time("secret", "secre"));
}

TEST(ReadStream, ReadsWhatNoNameOpens) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  ASSERT_EQ(::write(ends[1], "text", 4), 4);
  ::close(ends[1]);
  EXPECT_EQ(*read_stream(ends[0], "standard input"), "text");
  ::close(ends[0]);
  auto closed = read_stream(ends[0], "standard input");
  ASSERT_FALSE(closed);
  EXPECT_EQ(closed.error().context.find("standard input: cannot read"), 0u);
}

TEST(CleanUtf8, RefusesNulAndBrokenSequences) {
  EXPECT_TRUE(is_clean_utf8(""));
  EXPECT_TRUE(is_clean_utf8("grün €  \xF0\x9F\x98\x80\n"));
  for (std::string_view text :
       {std::string_view{"a\0b", 3}, std::string_view{"\xC0\x80"},
        std::string_view{"\xED\xA0\x80"}, std::string_view{"\xF5\x80\x80\x80"},
        std::string_view{"\xE2\x82"}, std::string_view{"\xFF"}})
    EXPECT_FALSE(is_clean_utf8(text));
}
