#include "runtime/agents/conversation.hpp"

#include "messages/json.hpp"
#include "runtime/home/files.hpp"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>

namespace ao {
namespace {

namespace fs = std::filesystem;

/// codex begins a directory each day; a conversation that is not noted began
/// today or shortly before.
constexpr std::size_t recent_days = 3;
/// A first line holds the program's own instructions.
constexpr std::size_t longest_first_line = 1u << 20;

std::string note_file(const std::string& session_dir) {
  return session_dir + "/conversation.json";
}

/// The directories in it, the last one (by name) first.
std::vector<std::string> inner_directories(const std::string& path) {
  std::vector<std::string> out;
  std::error_code none;
  for (fs::directory_iterator i{path, none}, end; !none && i != end;
       i.increment(none))
    if (i->is_directory(none))
      out.push_back(i->path().string());
  std::sort(out.rbegin(), out.rend());
  return out;
}

/// `YYYY/MM/DD`, the last ones first.
std::vector<std::string> recent_day_directories(const std::string& sessions) {
  std::vector<std::string> out;
  for (const auto& year : inner_directories(sessions))
    for (const auto& month : inner_directories(year))
      for (const auto& day : inner_directories(month)) {
        out.push_back(day);
        if (out.size() == recent_days)
          return out;
      }
  return out;
}

/// Whether the first line of a rollout says that it began in `worktree`, by a
/// person's hand.
bool is_rollout_of(const fs::path& file, const std::string& worktree) {
  std::ifstream in{file, std::ios::binary};
  std::string line;
  std::array<char, 16'384> part;
  while (line.size() < longest_first_line) {
    in.read(part.data(), part.size());
    line.append(part.data(), static_cast<std::size_t>(in.gcount()));
    if (auto end = line.find('\n'); end != std::string::npos) {
      line.resize(end);
      break;
    }
    if (!in)
      return false; // not yet whole
  }
  auto meta = json::parse(line, nullptr, false);
  if (!meta.is_object() || !meta.contains("payload")
      || !meta["payload"].is_object())
    return false;
  const auto& payload = meta["payload"];
  return payload.value("cwd", json{}) == worktree
    && payload.value("thread_source", json("user")) == "user";
}

std::optional<std::string> find_rollout(const transcript_place& place) {
  for (const auto& day : recent_day_directories(place.directory)) {
    std::vector<fs::path> files;
    std::error_code none;
    for (fs::directory_iterator i{day, none}, end; !none && i != end;
         i.increment(none))
      if (i->path().filename().string().rfind("rollout-", 0) == 0
          && i->path().extension() == ".jsonl")
        files.push_back(i->path());
    // The name begins with the time.
    std::sort(files.rbegin(), files.rend());
    for (const auto& file : files)
      if (is_rollout_of(file, place.worktree))
        return file.string();
  }
  return std::nullopt;
}

/// Claude's name of a directory's transcripts.
std::string folder_of(const std::string& worktree) {
  auto out = worktree;
  for (auto& c : out)
    if (!std::isalnum(static_cast<unsigned char>(c)))
      c = '-';
  return out;
}

std::string claude_folder(const transcript_place& place) {
  return place.directory + "/" + folder_of(place.worktree);
}

std::optional<std::string> find_claude_transcript(const transcript_place& p) {
  if (p.id.empty())
    return std::nullopt;
  std::error_code none;
  auto file = claude_folder(p) + "/" + p.id + ".jsonl";
  if (fs::is_regular_file(file, none))
    return file;
  return std::nullopt;
}

/// A random UUID (version 4).
result<std::string> make_uuid() {
  std::array<unsigned char, 16> bytes;
  if (::getrandom(bytes.data(), bytes.size(), 0)
      != static_cast<ssize_t>(bytes.size()))
    return fail(ec::internal, "no random bytes");
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3f) | 0x80);
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10)
      out += '-';
    constexpr std::string_view digits = "0123456789abcdef";
    out += digits[bytes[i] >> 4];
    out += digits[bytes[i] & 15];
  }
  return out;
}

/// Reads a transcript from `begin`; the id that it names, and what was heard.
transcript_state read_transcript(transcript_kind kind, const std::string& file,
                                 std::uint64_t begin) {
  transcript_state state;
  state.kind = kind;
  std::ifstream in{file, std::ios::binary};
  std::string line;
  // The id is at the top.
  if (std::getline(in, line))
    take_line(state, line);
  state.heard.clear();
  in.clear();
  in.seekg(static_cast<std::streamoff>(begin));
  while (std::getline(in, line))
    take_line(state, line);
  return state;
}

/// Whether the prompt is the one of the run before, which may have been heard.
bool repeats_prompt(resume_reason reason) {
  return reason != resume_reason::none && reason != resume_reason::message;
}

} // namespace

std::string calls_file(const std::string& session_dir) {
  return session_dir + "/calls.jsonl";
}

result<void> write_conversation(const std::string& session_dir,
                                const conversation_note& note) {
  return write_file_durably(note_file(session_dir),
                            dump(json{{"adapter", note.adapter},
                                      {"id", note.id},
                                      {"transcript", note.transcript},
                                      {"promptFrom", note.prompt_from},
                                      {"runFrom", note.run_from}}));
}

std::optional<conversation_note>
read_conversation(const std::string& session_dir) {
  auto text = read_file(note_file(session_dir));
  if (!text)
    return std::nullopt;
  auto in = json::parse(*text, nullptr, false);
  if (!in.is_object())
    return std::nullopt;
  conversation_note note;
  try {
    note.adapter = in.value("adapter", "");
    note.id = in.value("id", "");
    note.transcript = in.value("transcript", "");
    note.prompt_from = in.value("promptFrom", std::uint64_t{0});
    note.run_from = in.value("runFrom", std::uint64_t{0});
  } catch (const json::exception&) {
    return std::nullopt;
  }
  return note;
}

transcript_place
place_of_transcript(transcript_kind kind, const environment& env,
                    const std::string& worktree, const std::string& id) {
  transcript_place place;
  place.kind = kind;
  place.worktree = worktree;
  place.id = id;
  auto or_home = [&](const char* name, const char* below) {
    auto set = env.get(name);
    return set.empty() ? env.get("HOME") + below : set;
  };
  if (kind == transcript_kind::codex)
    place.directory = or_home("CODEX_HOME", "/.codex") + "/sessions";
  else if (kind == transcript_kind::claude_code)
    place.directory = or_home("CLAUDE_CONFIG_DIR", "/.claude") + "/projects";
  return place;
}

std::vector<std::string> directories_of(const transcript_place& place) {
  std::vector<std::string> out;
  std::error_code none;
  auto add = [&](const std::string& path) {
    auto there = fs::is_directory(path, none);
    if (there)
      out.push_back(path);
    return there;
  };
  auto home = fs::path{place.directory}.parent_path();
  add(home.parent_path().string());
  if (!add(home.string()) || !add(place.directory))
    return out;
  if (place.kind == transcript_kind::claude_code) {
    add(claude_folder(place));
    return out;
  }
  auto within = place.directory;
  for (int level = 0; level < 3; ++level) {
    auto inner = inner_directories(within);
    if (inner.empty())
      break;
    within = inner.front();
    out.push_back(within);
  }
  return out;
}

std::optional<std::string> find_transcript(const transcript_place& place) {
  switch (place.kind) {
  case transcript_kind::codex:
    return find_rollout(place);
  case transcript_kind::claude_code:
    return find_claude_transcript(place);
  case transcript_kind::none:
    break;
  }
  return std::nullopt;
}

result<conversation>
take_up_conversation(transcript_kind kind, const msg::session_spec& spec,
                     const environment& env, const std::string& adapter,
                     const std::string& session_dir,
                     const std::string& worktree) {
  conversation talk;
  if (kind == transcript_kind::none)
    return talk;
  auto note = read_conversation(session_dir).value_or(conversation_note{});
  // Another program knows nothing of it; nor does a new session of a name
  // that was used before (its first run makes what it is to have).
  if (note.adapter != adapter || spec.run <= 1) {
    note = {};
    note.adapter = adapter;
  }
  std::error_code none;
  if (note.transcript.empty() || !fs::exists(note.transcript, none)) {
    note.transcript.clear();
    if (spec.run > 1)
      if (auto found
          = find_transcript(place_of_transcript(kind, env, worktree, note.id)))
        note.transcript = *found;
  }
  if (!note.transcript.empty()) {
    auto from = spec.resume == resume_reason::restore ? 0 : note.prompt_from;
    note.run_from = fs::file_size(note.transcript, none);
    if (spec.resume == resume_reason::message)
      from = note.run_from;
    auto past = read_transcript(kind, note.transcript, from);
    if (!past.conversation.empty())
      note.id = past.conversation;
    talk.heard_prompt = repeats_prompt(spec.resume)
      && std::any_of(past.heard.begin(), past.heard.end(),
                     [&](const std::string& text) {
                       return is_same_text(text, spec.prompt);
                     });
    note.prompt_from = from;
  } else if (kind == transcript_kind::claude_code && note.id.empty()) {
    auto id = make_uuid();
    if (!id)
      return fail(id.error());
    note.id = *id;
  }
  talk.id = note.id;
  talk.transcript = note.transcript;
  if (auto ok = write_conversation(session_dir, note); !ok)
    return fail(ok.error());
  return talk;
}

} // namespace ao
