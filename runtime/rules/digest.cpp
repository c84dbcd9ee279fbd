#include "runtime/rules/digest.hpp"

#include "runtime/rules/incident_texts.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <string_view>

namespace ao {
namespace {

constexpr std::string_view front = "digest-";
constexpr std::string_view between = "\n\n";

std::string body_of(const notification& n) {
  auto out = n.text;
  while (!out.empty() && out.back() == '\n')
    out.pop_back();
  return out;
}

std::string head_of(const notification& part, std::size_t count,
                    wall_time since) {
  std::string word{to_string(part.priority)};
  for (auto& c : word)
    c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return "[AO " + word + "] ao digest\nCase " + part.subject + "\n"
    + std::to_string(count) + (count == 1 ? " notification" : " notifications")
    + " since " + format_time(since);
}

class digest_maker {
public:
  digest_maker(const std::string& channel, std::uint64_t number, wall_time now)
      : channel_(channel), subject_(front), now_(now) {
    subject_ += std::to_string(number);
  }

  digest_rows make(std::vector<notification> members) {
    for (auto& n : members)
      add(std::move(n));
    finish();
    return std::move(out_);
  }

private:
  void add(notification n) {
    auto size = between.size() + n.text.size();
    if (count_ > 0 && size_ + size > longest_digest)
      finish();
    if (count_ == 0)
      begin(n);
    auto& part = out_.parts.back();
    part.priority = std::min(part.priority, n.priority);
    part.text += std::string{between} + body_of(n);
    size_ += size;
    count_ += 1;
    since_ = std::min(since_, n.created_at);
    n.digest = part.id;
    n.version += 1;
    n.updated_at = now_;
    out_.members.push_back(std::move(n));
  }

  void begin(const notification& first) {
    notification part;
    part.version = 1;
    part.channel = channel_;
    part.subject = subject_;
    part.number = out_.parts.size() + 1;
    part.id = channel_ + "/" + subject_ + "/" + std::to_string(part.number);
    part.priority = first.priority;
    part.kind = "digest";
    part.created_at = now_;
    part.updated_at = now_;
    out_.parts.push_back(std::move(part));
    since_ = first.created_at;
    // What `head_of` needs at most.
    size_ = 160 + subject_.size();
  }

  void finish() {
    if (count_ == 0)
      return;
    auto& part = out_.parts.back();
    part.text = head_of(part, count_, since_) + part.text + "\n";
    part.key = notification_key(part.subject, part.number,
                                channel_ + "\n" + format_time(now_) + "\n"
                                  + part.text);
    count_ = 0;
  }

  const std::string& channel_;
  std::string subject_;
  wall_time now_;
  digest_rows out_;
  std::size_t count_ = 0;
  std::size_t size_ = 0;
  wall_time since_{};
};

} // namespace

digest_rows make_digest(const std::string& channel, std::uint64_t number,
                        std::vector<notification> members, wall_time now) {
  return digest_maker{channel, number, now}.make(std::move(members));
}

bool is_digest(const notification& n) {
  return n.kind == "digest";
}

std::uint64_t digest_number(const notification& n) {
  std::uint64_t out = 0;
  if (is_digest(n) && n.subject.compare(0, front.size(), front) == 0)
    std::from_chars(n.subject.data() + front.size(),
                    n.subject.data() + n.subject.size(), out);
  return out;
}

} // namespace ao
