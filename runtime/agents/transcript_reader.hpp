#pragma once

#include "runtime/agents/conversation.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace ao {

class io_loop;

/// What a transcript says by now.
struct transcript_news {
  std::string file;
  /// Its `heard` has what is new since the news before.
  transcript_state state;
};

/// Which transcript is followed.
struct transcript_target {
  transcript_place place;
  /// The file where it is known; else it is waited for.
  std::string file;
  /// Bytes in it that were written before the run: they count, but nothing in
  /// them was heard in this run.
  std::uint64_t run_from = 0;
  /// A file that grows when the program waits for a person, made here where it
  /// is not; empty = there is none.
  std::string calls;
};

/// Follows transcripts as they are written, by inotify: one descriptor for all
/// of a process, nothing is polled. Reads on the loop's thread, a part at a
/// time.
class transcript_reader {
public:
  /// Called on the loop's thread.
  using handler = std::function<void(const transcript_news&)>;
  /// The same of a program that waits for a person.
  using call_handler = std::function<void()>;

  explicit transcript_reader(io_loop& loop);
  /// Ends everything that is followed.
  ~transcript_reader();
  transcript_reader(const transcript_reader&) = delete;
  transcript_reader& operator=(const transcript_reader&) = delete;

  /// One transcript, until it is destroyed; a handler that runs at that moment
  /// in another thread may still finish.
  class following {
  public:
    ~following();
    following(const following&) = delete;
    following& operator=(const following&) = delete;

    /// Reads what is there now and calls the handler as usual, then `done`,
    /// once, on the loop's thread.
    void drain(std::function<void()> done);

  private:
    friend class transcript_reader;
    struct state;
    explicit following(std::shared_ptr<state> s) : state_(std::move(s)) {}
    std::shared_ptr<state> state_;
  };

  /// Safe from any thread. Reads what is there, then waits for more.
  /// @param on_call Null = calls are not wanted.
  std::unique_ptr<following> follow(transcript_target target, handler on_news,
                                    call_handler on_call = nullptr);

private:
  struct impl;
  std::shared_ptr<impl> impl_;
};

} // namespace ao
