#include "runtime/log/log.hpp"

#include "messages/time.hpp"
#include "runtime/log/rotating_file.hpp"

#include <spdlog/async.h>
#include <spdlog/async_logger.h>
#include <spdlog/sinks/base_sink.h>

#include <atomic>
#include <condition_variable>
#include <mutex>

namespace ao {
namespace {

constexpr std::size_t queue_lines = 8192;

using thread_pool = spdlog::details::thread_pool;

std::string stamped(log_level level, std::string_view line) {
  auto text = format_time(wall_now()) + " ";
  text += to_string(level);
  text += ' ';
  text += line;
  text += '\n';
  return text;
}

/// The end of spdlog's pipe. The message is the finished line. What was
/// dropped is said here: a report in the queue could be dropped itself.
class file_sink : public spdlog::sinks::base_sink<std::mutex> {
public:
  file_sink(rotating_file file, std::weak_ptr<thread_pool> pool)
      : file_(std::move(file)), pool_(std::move(pool)) {}

  /// Returns when `enough(lines written)` holds; asked after each line.
  template <class Predicate>
  void wait_until(Predicate enough) {
    std::unique_lock<std::mutex> guard{count_mutex_};
    counted_.wait(guard, [&] { return enough(written_); });
  }

protected:
  void sink_it_(const spdlog::details::log_msg& msg) override {
    report_dropped();
    file_.append({msg.payload.data(), msg.payload.size()});
    {
      std::lock_guard<std::mutex> guard{count_mutex_};
      ++written_;
    }
    counted_.notify_all();
  }

  // Each line is in the file when it was appended.
  void flush_() override {}

private:
  void report_dropped() {
    auto pool = pool_.lock();
    auto dropped = pool ? pool->overrun_counter() : told_;
    if (dropped == told_)
      return;
    file_.append(
      stamped(log_level::warn,
              log_line("log_lines_dropped",
                       {{"count", std::to_string(dropped - told_)}})));
    told_ = dropped;
  }

  rotating_file file_;
  std::weak_ptr<thread_pool> pool_;
  std::size_t told_ = 0;
  std::mutex count_mutex_;
  std::condition_variable counted_;
  std::uint64_t written_ = 0;
};

bool is_plain(std::string_view value) {
  if (value.empty())
    return false;
  for (char c : value)
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || c == '"'
        || c == '=' || c == '\\')
      return false;
  return true;
}

void append_quoted(std::string& out, std::string_view value) {
  static constexpr char hex[] = "0123456789abcdef";
  out += '"';
  for (char c : value) {
    auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\x";
      out += hex[byte >> 4];
      out += hex[byte & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

} // namespace

std::string_view to_string(log_level x) {
  switch (x) {
  case log_level::debug:
    return "debug";
  case log_level::info:
    return "info";
  case log_level::warn:
    return "warn";
  case log_level::error:
    return "error";
  }
  return "info";
}

std::string log_line(std::string_view verb,
                     std::initializer_list<log_field> fields) {
  std::string out{verb};
  for (const auto& [key, value] : fields) {
    out += ' ';
    out += key;
    out += '=';
    if (is_plain(value))
      out += value;
    else
      append_quoted(out, value);
  }
  return out;
}

struct log::parts {
  parts(rotating_file file, log_level least, redactor known)
      : level(least),
        secrets(std::make_shared<const redactor>(std::move(known))),
        pool(std::make_shared<thread_pool>(queue_lines, 1)),
        sink(std::make_shared<file_sink>(std::move(file), pool)),
        out(std::make_shared<spdlog::async_logger>(
          "ao", sink, pool, spdlog::async_overflow_policy::overrun_oldest)) {
    out->set_level(spdlog::level::trace);
    // A sink that throws must not print on our terminal.
    out->set_error_handler([](const std::string&) {});
  }

  void send(log_level at, std::string_view line) {
    auto text = stamped(at, line);
    ++sent;
    out->log(spdlog::level::info, spdlog::string_view_t{text});
  }

  std::shared_ptr<const redactor> known() {
    std::lock_guard<std::mutex> guard{mutex};
    return secrets;
  }

  log_level level;
  std::mutex mutex;
  std::shared_ptr<const redactor> secrets;
  std::shared_ptr<thread_pool> pool;
  std::shared_ptr<file_sink> sink;
  std::shared_ptr<spdlog::async_logger> out;
  std::atomic<std::uint64_t> sent{0};
};

log::log(std::unique_ptr<parts> p) : parts_(std::move(p)) {}

log::~log() {
  flush();
}

result<std::unique_ptr<log>> log::open(const log_options& options,
                                       redactor secrets) {
  auto file = rotating_file::open(options.file, options.max_file_bytes,
                                  options.max_files);
  if (!file)
    return fail(file.error());
  return std::unique_ptr<log>{new log{std::make_unique<parts>(
    std::move(*file), options.level, std::move(secrets))}};
}

void log::write(log_level level, std::string_view verb,
                std::initializer_list<log_field> fields) {
  if (level < parts_->level)
    return;
  parts_->send(level, parts_->known()->redact(log_line(verb, fields)));
}

void log::replace_secrets(redactor secrets) {
  auto fresh = std::make_shared<const redactor>(std::move(secrets));
  std::lock_guard<std::mutex> guard{parts_->mutex};
  parts_->secrets = std::move(fresh);
}

void log::flush() {
  // The queue is in order and drops its oldest: when as many lines as were
  // sent are written or dropped, ours are among them.
  auto sent = parts_->sent.load();
  parts_->sink->wait_until([&](std::uint64_t written) {
    return written + parts_->pool->overrun_counter() >= sent;
  });
}

} // namespace ao
