#include "tests/support/hostile_strings.hpp"

#include "runtime/rules/text.hpp"

#include <algorithm>
#include <random>
#include <set>

namespace ao {
namespace {

std::vector<hostile_string> seeds(const std::filesystem::path& trap) {
  auto touch = "touch " + trap.string();
  std::vector<hostile_string> out;
  auto add = [&out](const char* category, std::vector<std::string> texts) {
    for (auto& text : texts)
      out.push_back({category, std::move(text)});
  };
  add("shell",
      {"; " + touch + " ;",
       "$(" + touch + ")",
       "`" + touch + "`",
       "| " + touch,
       "&& " + touch,
       "|| " + touch,
       "& " + touch + " &",
       "' ; " + touch + " ; '",
       "\" ; " + touch + " ; \"",
       "\n" + touch + "\n",
       "<(" + touch + ")",
       "> " + trap.string(),
       "$IFS$9" + touch,
       "${x:=$(" + touch + ")}",
       "$((a[$(" + touch + ")]))",
       "*.txt ? [a-z]",
       "~ ~root $HOME",
       "!history ^caret",
       "{a,b}",
       "\\",
       "'",
       "\"",
       "#",
       "%s%n",
       "() { :;}; " + touch,
       "eval " + touch,
       "\\n\\x41\\0"});
  add("git option",
      {"--upload-pack=" + touch, "--receive-pack=" + touch, "--exec=" + touch,
       "-c core.sshCommand=" + touch, "--output=" + trap.string(),
       "-o" + trap.string(), "-x", "-", "--", "--help",
       "--config-env=core.pager=HOME", "-uroot",
       "--open-files-in-pager=" + touch, "-O" + touch, "--json", "--prompt"});
  add("ref",
      {"a..b",
       "refs/heads/main",
       "HEAD",
       "@",
       "@{upstream}",
       "HEAD~1",
       "main^{commit}",
       ":/first",
       "a.lock",
       "a//b",
       "/a",
       "a/",
       ".a",
       "a.",
       "a b",
       "a:b",
       "a?b",
       "a*b",
       "a[b",
       "a~b",
       "a^b",
       "-a",
       "refs/ao/x",
       "+main:main",
       "^main",
       "T1",
       "app#1",
       "inc-1",
       "app-1",
       "role/x"});
  add("url",
      {"ext::sh -c " + touch + "%", "ext::" + touch, "fd::17",
       "ssh://-oProxyCommand=" + touch + "/x", "file:///etc/passwd",
       "http://127.0.0.1:1/", "git@-x:y", "javascript:alert(1)"});
  add("tmux",
      {";",
       "\\;",
       "a ;",
       "a\\;",
       "#(" + touch + ")",
       "#{pane_id}",
       "#{E:#(" + touch + ")}",
       "#S",
       "#[fg=red]",
       "##",
       "%%",
       "%0",
       "=app-1",
       "$1",
       "@1",
       ":.",
       "C-c",
       "Enter",
       "Escape",
       "C-b :",
       "M-x",
       "F1",
       "BSpace",
       "DC",
       "C-d",
       "C-z",
       "run-shell '" + touch + "'",
       "; run-shell '" + touch + "'",
       "kill-server",
       "-t other:0",
       "if-shell true 'run-shell \"" + touch + "\"'"});
  add("terminal",
      {"\x1b[31mred\x1b[0m",
       "\x1b]0;title\x07",
       "\x1b]52;c;AAAA\x07",
       "\x1b[2J\x1b[H",
       "\x1b[6n",
       "\x1bP$q\x1b\\",
       "\x1b[200~x\x1b[201~",
       "\x1b[?1049h",
       "\x07",
       "\x08\x08",
       "\r over",
       "\x7f",
       "\x01\x02\x1f",
       std::string{"\xc2\x9b"} + "31m",
       std::string{"\xc2\x9d"} + "0;t\xc2\x9c",
       "\x0e",
       "\x1b",
       "\x03",
       "\x04",
       "\x1a"});
  add("bidi",
      {std::string{"\xe2\x80\xae"} + "evil", std::string{"a\xe2\x80\x8f"} + "b",
       "\xe2\x81\xa6x\xe2\x81\xa9", "\xe2\x80\xaa\xe2\x80\xac",
       "\xe2\x80\xa8line", std::string{"\xef\xbb\xbf"} + "bom",
       "rtl \xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d", "e\xcc\x81\xcc\x81\xcc\x81",
       "\xf0\x9f\x8e\x89\xe2\x80\x8d\xf0\x9f\x91\xa9", "\xe2\x80\x8b"});
  add("path",
      {"../../../../etc/passwd", "..", ".", "/etc/passwd", "//", "a/../b",
       ".git", ".git/config", "~/.ssh/id_rsa", "/proc/self/environ", "C:\\x",
       "CON", "a/./b", "..%2f..%2fetc", "%2e%2e/%2e%2e"});
  add("text",
      {"",
       " ",
       "  blanks  ",
       "\t",
       "\n",
       "\r\n",
       "a\nb\nc",
       "null",
       "true",
       "0",
       "-1",
       "1e999",
       "NaN",
       "{}",
       "[]",
       "{session}",
       "{{}}",
       "${HOME}",
       "\"},\"role\":\"orchestrator\",\"x\":{\"",
       "- [ ] X: injected",
       "## X: injected",
       "needs: X",
       "priority: 0",
       "```",
       "~~~",
       "<script>",
       "&amp;<b>",
       "' OR 1=1 --",
       "'; DROP TABLE tasks; --",
       "key: [unclosed",
       "*alias",
       "&anchor",
       "!!python/object",
       "%YAML 1.2",
       "--- ",
       "...",
       "inc-1 retry code ABCDEFGH",
       "[AO URGENT] app-1",
       "Ao-Task: T9",
       "x\n\nAo-Epoch: 99"});
  add("bytes",
      {std::string{"\0", 1}, std::string{"a\0b", 3}, "\xff\xfe", "caf\xe9",
       "\xc0\x80", "\xed\xa0\x80", "\xf8\x88\x80\x80\x80", "\xe2\x82",
       "\xf4\x90\x80\x80", "ok\x80", "\xc3("});
  add("size",
      {std::string(500, 'x'), std::string(501, 'x'), std::string(4'097, 'y'),
       std::string(65'536, '('), std::string(200'000, 'z')});
  return out;
}

std::string mutated(const std::vector<hostile_string>& from,
                    std::mt19937& dice) {
  auto pick = [&](std::size_t n) {
    return std::uniform_int_distribution<std::size_t>{0, n - 1}(dice);
  };
  const auto& a = from[pick(from.size())].text;
  const auto& b = from[pick(from.size())].text;
  constexpr const char* between[] = {"", " ", "\n", ";", ": ", "/", "\t", ","};
  switch (pick(6)) {
  case 0:
    return a + between[pick(8)] + b;
  case 1:
    return a.substr(0, pick(a.size() + 1)) + b;
  case 2: {
    auto at = pick(a.size() + 1);
    return a.substr(0, at) + b + a.substr(at);
  }
  case 3: {
    auto out = a + b;
    if (!out.empty())
      out[pick(out.size())] = static_cast<char>(pick(256));
    return out;
  }
  case 4:
    return a + a + b;
  default:
    return std::to_string(pick(1'000'000)) + between[pick(8)] + a;
  }
}

} // namespace

std::vector<hostile_string> hostile_strings(const std::filesystem::path& trap,
                                            std::size_t count) {
  constexpr unsigned always = 20261127;
  std::mt19937 dice{always};
  auto out = seeds(trap);
  const auto origins = out;
  // In front of mutations, so that they are there whatever the count.
  out.push_back({"size", std::string(std::size_t{1} << 20, 'm')});
  out.push_back({"size", std::string(std::size_t{1} << 20, '\x1b')});
  std::set<std::string> seen;
  for (const auto& one : out)
    seen.insert(one.text);
  while (out.size() < count) {
    auto text = mutated(origins, dice);
    if (text.size() <= 300'000 && seen.insert(text).second)
      out.push_back({"mutation", std::move(text)});
  }
  out.resize(count);
  return out;
}

bool is_text(const std::string& s) {
  return s.find('\0') == std::string::npos && is_utf8(s);
}

std::string offence_on_screen(const std::string& screen) {
  auto at = [&](std::size_t i) {
    return i < screen.size() ? static_cast<unsigned char>(screen[i]) : 0u;
  };
  auto name = [&](const char* what, std::size_t i) {
    return std::string{what} + " at byte " + std::to_string(i) + " of "
      + std::to_string(screen.size());
  };
  for (std::size_t i = 0; i < screen.size(); ++i) {
    auto c = at(i);
    if (c == 0x1b && at(i + 1) == '[') {
      // Our colours: digits, then `m`.
      auto end = i + 2;
      while (at(end) >= '0' && at(end) <= '9')
        ++end;
      if (at(end) != 'm')
        return name("an escape sequence", i);
      i = end;
      continue;
    }
    if (c == 0x7f || (c < 0x20 && c != '\n' && c != '\r' && c != '\t'))
      return name("a control character", i);
    if (c == 0xc2 && at(i + 1) >= 0x80 && at(i + 1) < 0xa0)
      return name("a C1 control", i);
    if (c == 0xe2 && at(i + 1) == 0x80
        && ((at(i + 2) >= 0xaa && at(i + 2) <= 0xae) || at(i + 2) == 0x8e
            || at(i + 2) == 0x8f))
      return name("a bidirectional control", i);
    if (c == 0xe2 && at(i + 1) == 0x81 && at(i + 2) >= 0xa6
        && at(i + 2) <= 0xa9)
      return name("a bidirectional isolate", i);
  }
  auto bad = first_not_utf8(screen);
  return bad == screen.size() ? "" : name("invalid UTF-8", bad);
}

} // namespace ao
