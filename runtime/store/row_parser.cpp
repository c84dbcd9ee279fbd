#include "runtime/store/row_parser.hpp"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace ao {
namespace {

/// Bytes of rows that are parsed together, and how many such batches may wait:
/// what is read ahead stays small beside the rows.
constexpr std::size_t batch_bytes = 64 * 1024;
constexpr std::size_t batches_ahead = 16;

/// Texts of rows, one behind the other.
struct row_texts {
  struct entry {
    table which;
    std::size_t key;
    std::size_t doc;
  };
  std::string bytes;
  std::vector<entry> entries;

  /// Whether they go beyond what is parsed together, with one more.
  bool is_full(std::size_t more) const {
    return !entries.empty() && bytes.size() + more > batch_bytes;
  }

  void add(table t, std::string_view key, std::string_view doc) {
    if (entries.empty())
      bytes.reserve(batch_bytes);
    entries.push_back({t, key.size(), doc.size()});
    bytes += key;
    bytes += doc;
  }

  void clear() {
    bytes.clear();
    entries.clear();
  }
};

/// Texts, and what they have become.
struct batch {
  row_texts texts;
  store_rows rows;
  /// About the first row that is wrong.
  result<void> outcome;

  /// Makes the rows; their texts are not needed any more then.
  void parse() {
    std::string_view rest = texts.bytes;
    auto take = [&rest](std::size_t size) {
      auto front = rest.substr(0, size);
      rest.remove_prefix(size);
      return front;
    };
    for (std::size_t i = 0; i < texts.entries.size() && outcome; ++i) {
      const auto& entry = texts.entries[i];
      auto key = take(entry.key);
      outcome = add_row(rows, entry.which, key, take(entry.doc));
    }
    texts.clear();
  }
};

} // namespace

struct row_parser::impl {
  /// All batches but the open one, in order. An element never moves.
  std::deque<batch> full;
  batch open;
  std::atomic<bool> failed{false};

  std::mutex mutex;
  std::condition_variable more;
  /// Those of `full` that nobody has taken yet.
  std::deque<batch*> waiting;
  /// Room of texts that were parsed, for the next ones: where each batch took
  /// room of its own, rows settled in what was left of it, and none of it was
  /// of use again.
  std::vector<row_texts> spare;
  bool closed = false;
  std::thread helper;

  ~impl() {
    {
      // Nobody wants them any more.
      std::lock_guard<std::mutex> guard{mutex};
      waiting.clear();
    }
    close();
  }

  /// Parses the oldest batch that waits; the lock is held before and after.
  void parse_next(std::unique_lock<std::mutex>& guard) {
    auto& next = *waiting.front();
    waiting.pop_front();
    guard.unlock();
    next.parse();
    if (!next.outcome)
      failed = true;
    guard.lock();
    spare.push_back(std::move(next.texts));
  }

  /// What the second thread does.
  void help() {
    std::unique_lock<std::mutex> guard{mutex};
    for (;;) {
      more.wait(guard, [this] { return closed || !waiting.empty(); });
      if (waiting.empty())
        return;
      parse_next(guard);
    }
  }

  /// Puts the open batch behind the others.
  void push() {
    full.push_back(std::exchange(open, {}));
    if (!helper.joinable())
      helper = std::thread{[this] { help(); }};
    std::unique_lock<std::mutex> guard{mutex};
    waiting.push_back(&full.back());
    more.notify_one();
    if (waiting.size() > batches_ahead)
      parse_next(guard);
    if (spare.empty())
      return;
    open.texts = std::move(spare.back());
    spare.pop_back();
  }

  /// Parses what is left, together with the helper, and ends it.
  void close() {
    {
      std::unique_lock<std::mutex> guard{mutex};
      closed = true;
      more.notify_one();
      while (!waiting.empty())
        parse_next(guard);
    }
    if (helper.joinable())
      helper.join();
  }
};

row_parser::row_parser() : impl_(std::make_unique<impl>()) {}
row_parser::~row_parser() = default;

void row_parser::add(table t, std::string_view key, std::string_view doc) {
  if (impl_->open.texts.is_full(key.size() + doc.size()))
    impl_->push();
  impl_->open.texts.add(t, key, doc);
}

bool row_parser::failed() const {
  return impl_->failed;
}

result<store_rows> row_parser::finish() {
  impl_->close();
  auto& last = impl_->open;
  last.parse();
  store_rows out;
  auto take = [&out](batch& x) -> result<void> {
    if (x.outcome)
      out.append(std::move(x.rows));
    return std::move(x.outcome);
  };
  for (auto& x : impl_->full)
    if (auto ok = take(x); !ok)
      return fail(ok.error());
  if (auto ok = take(last); !ok)
    return fail(ok.error());
  return out;
}

} // namespace ao
