#include "hangu/config/assembly.h"

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <unordered_map>

#include <fmt/format.h>

#include "hangu/config/generations.h"

#include "config/assembly_nodes.h"
#include "config/checks.h"
#include "config/document.h"
#include "config/document_entries.h"
#include "config/file.h"
#include "config/schema.h"
#include "config/shown_element.h"
#include "config/text.h"

namespace hangu::config {
namespace {

// Each round refuses at least one document; what needs more is refused as a whole.
constexpr int kRoundsMax = 16;

// Beyond it nobody tries one by one which document the others cannot go with.
constexpr size_t kSuspectsMax = 16;

std::string reason_of(const Diagnostic& diagnostic) {
  const std::string place =
      diagnostic.line > 1 ? fmt::format("line {}: ", diagnostic.line) : std::string();
  return fmt::format("{}{} {}", place, diagnostic.code, diagnostic.message);
}

/// The element of a file's list; null: it is not in it.
const Node* element_of(const Node* file, std::string_view key) {
  const Node::Entry* list = file != nullptr ? file->find(list_of(key)) : nullptr;
  for (const Node* item : list != nullptr ? list->value->items : std::vector<const Node*>{}) {
    const Node::Entry* name = item->find("name");
    if (name != nullptr && name->value->text == name_in(key)) {
      return item;
    }
  }
  return nullptr;
}

}  // namespace

std::string document_digest(std::string_view key, std::string_view text,
                            const std::function<std::string(std::string_view)>& digest) {
  return digest(fmt::format("{}\n{}", key, text));
}

class Assembly::Impl {
 public:
  Impl(std::string path, AssemblyOptions options)
      : path_(std::move(path)),
        options_(std::move(options)),
        entries_(options_.digest) {}

  LoadResult load() {
    Result<std::string, std::string> text = read_file(path_, kFileBytesMax);
    if (!text) {
      return load_file(path_, options_.load);  // says why
    }
    const bool first = !config_;
    std::string file_before = std::exchange(file_, std::move(*text));
    Entries before = entries_;
    for (const auto& [key, entry] : before.all()) {
      want_again(key, entry);
    }
    file_changed_ = true;
    LoadResult result = settle();
    if (!first && (!result.config || lost(before))) {
      result = settle_without_waiting(before);
    }
    if (result.config && !first && lost(before)) {
      result.config.reset();
    }
    if (result.config) {
      file_changed_ = false;
      if (!first) {
        before_load_ = State{std::move(file_before), std::move(before), *config_, names_, stubs_};
      }
      commit();
    } else {
      file_changed_ = first;
      file_ = std::move(file_before);
      entries_ = std::move(before);
    }
    return result;
  }

  LoadResult change(std::vector<Document> documents) {
    for (Document& document : documents) {
      edit(document.key, [&document](Entry& entry) {
        entry.wanted = std::move(document.text);
        entry.is_pending = true;
        entry.is_held = false;
        entry.reason.clear();
      });
    }
    if (!config_) {
      return not_read();
    }
    LoadResult result = settle();
    if (result.config) {
      commit();
      before_load_.reset();  // there is no way back over a change
    }
    return result;
  }

  /// `keep`: if they can be.
  LoadResult try_all(std::vector<Document> documents, bool keep) {
    if (!config_) {
      return not_read();
    }
    undo_.clear();
    Keys candidates;
    for (Document& document : documents) {
      const Entry* const known = entries_.find(document.key);
      if (candidates.insert(document.key).second) {
        undo_.emplace_back(document.key, known != nullptr ? std::optional(*known) : std::nullopt);
      }
      edit(document.key, [&document](Entry& entry) {
        entry.wanted = std::move(document.text);
        entry.is_pending = true;
      });
    }
    LoadResult result =
        (can_patch(candidates) ? patch(candidates, keep) : rebuild(candidates)).loaded;
    if (result.config && keep) {
      taken_.clear();
      take(candidates, *result.config);
      result.digest = entries_.digest(file_);
      commit();
      before_load_.reset();
    } else {
      next_names_.reset();
      forget_tried();
    }
    return result;
  }

  LoadResult revert_all() {
    const auto undo = std::exchange(undo_, {});
    std::vector<Document> before;
    for (const auto& [key, entry] : undo) {
      before.push_back({key, entry ? entry->text : std::nullopt});
    }
    LoadResult result = try_all(std::move(before), /*keep=*/true);
    for (const auto& [key, entry] : undo) {
      if (result.config && entry && entry->is_pending) {
        edit(key, [&before = *entry](Entry& now) { now = before; });
      }
    }
    undo_.clear();
    return result;
  }

  bool in_file(std::string_view key) const {
    const auto list = names_.find(list_of(key));
    if (list == names_.end()) {
      return false;
    }
    const auto found = list->second.find(name_in(key));
    return found != list->second.end() && found->second.mark.source == 0;
  }

  std::vector<ElementSummary> elements() const {
    std::vector<ElementSummary> out;
    for (const std::string_view list : document_lists()) {
      const auto names = names_.find(list);
      if (names == names_.end()) {
        continue;
      }
      for (const auto& [name, element] : names->second) {
        if (element.mark.source == 0) {
          out.push_back({.key = fmt::format("{}/{}", list, name), .in_file = true});
        }
      }
    }
    for (const auto& [key, entry] : entries_.all()) {
      if (entry.text || entry.wanted) {
        out.push_back(summary_of(key, entry));
      }
    }
    std::sort(out.begin(), out.end(),
              [](const ElementSummary& a, const ElementSummary& b) { return a.key < b.key; });
    return out;
  }

  std::optional<Element> element(std::string_view key) const {
    Element out;
    if (in_file(key)) {
      out.summary = {.key = std::string(key), .in_file = true};
      return show_element(file_, key, out) ? std::optional(std::move(out)) : std::nullopt;
    }
    const std::optional<std::string> text = wanted(key);
    if (!text) {
      return std::nullopt;
    }
    out.summary = summary_of(std::string(key), entries_.at(key));
    show_element(*text, key, out);
    return out;
  }

  std::optional<std::string> wanted(std::string_view key) const {
    const Entry* const found = entries_.find(key);
    if (found == nullptr) {
      return std::nullopt;
    }
    return found->wanted ? found->wanted : found->text;
  }

  void revert_load() {
    if (!before_load_) {
      return;
    }
    file_ = std::move(before_load_->file);
    entries_ = std::move(before_load_->entries);
    config_ = std::move(before_load_->config);
    names_ = std::move(before_load_->names);
    stubs_ = std::move(before_load_->stubs);
    before_load_.reset();
  }

  void revert(const std::string& reason) {
    std::vector<Document> wanted;
    std::vector<Document> before = std::exchange(taken_, {});
    for (const Document& each : before) {
      wanted.push_back({each.key, entries_.at(each.key).text});
    }
    if (!change(std::move(before)).config) {
      return;  // it was good before; the next change comes on top of what there is
    }
    for (Document& each : wanted) {
      edit(each.key, [&each, &reason](Entry& entry) {
        entry.wanted = std::move(each.text);
        entry.is_pending = true;
        entry.is_held = true;
        entry.reason = reason;
      });
    }
  }

  std::vector<Refusal> refused() const {
    std::vector<Refusal> out;
    for (const std::string& key : entries_.pending()) {
      out.push_back({key, entries_.at(key).reason});
    }
    return out;
  }

  std::vector<Document> documents() const {
    std::vector<Document> out;
    for (const auto& [key, entry] : entries_.all()) {
      if (entry.text) {
        out.push_back({key, entry.text});
      }
    }
    return out;
  }

  std::optional<std::string> document(std::string_view key) const {
    const Entry* const found = entries_.find(key);
    return found != nullptr ? found->text : std::nullopt;
  }

  size_t size() const { return entries_.in_force(); }

 private:
  using Entry = DocumentEntry;
  using Entries = DocumentEntries;
  using Keys = DocumentEntries::Keys;

  struct Attempt {
    LoadResult loaded;
    std::set<uint32_t> bad;  // sources with errors
  };

  /// What there was before a file was read again.
  struct State {
    std::string file;
    Entries entries;
    Config config;
    NameTable names;
    AssemblyStubs stubs;
  };

  LoadResult not_read() const {
    LoadResult nothing;
    nothing.diagnostics.push_back({.severity = Severity::kError,
                                   .code = "E0100",
                                   .file = path_,
                                   .message = "the file has not been read yet"});
    return nothing;
  }

  /// The entries as they were before try_all().
  void forget_tried() {
    for (auto each = undo_.rbegin(); each != undo_.rend(); ++each) {
      const auto& [key, before] = *each;
      if (before) {
        entries_.edit(key, [&entry = *before](Entry& now) { now = entry; });
        continue;
      }
      if (entries_.at(key).number == keys_.size()) {
        keys_.pop_back();
      }
      entries_.erase(key);
    }
    undo_.clear();
  }

  ElementSummary summary_of(const std::string& key, const Entry& entry) const {
    ElementSummary out{.key = key};
    out.in_force = !entry.is_pending;
    out.refusal = entry.is_pending ? entry.reason : "";
    if (options_.digest) {
      out.digest = entry.is_pending ? document_digest(key, *wanted(key), options_.digest)
                                    : entries_.digest_of(key);
    }
    return out;
  }

  /// False: the text does not hold it. The file's elements stand in its lists.
  bool show_element(const std::string& text, std::string_view key, Element& out) const {
    std::vector<YamlProblem> ignored;  // they have been reported when it was read
    const YamlDocument document = parse_yaml(text, ignored);
    const Node* node = out.summary.in_file ? element_of(document.root, key) : document.root;
    if (node != nullptr) {
      show(*node, {.texts = secrets_of(*config_, key), .by_name = !out.summary.in_force}, out);
    }
    return node != nullptr;
  }

  /// With the new file, and of the documents those alone that are in force: what waits is not to
  /// keep the file from going through.
  LoadResult settle_without_waiting(const Entries& before) {
    entries_ = before;
    std::vector<std::string> waiting;
    for (const auto& [key, entry] : before.all()) {
      if (entry.is_pending && !entry.is_held) {
        hold(key, true);
        waiting.push_back(key);
      } else {
        want_again(key, entry);
      }
    }
    LoadResult result = settle();
    for (const std::string& key : waiting) {
      hold(key, false);
    }
    return result;
  }

  /// As DocumentEntries::edit(), of an entry that has a number.
  template <class Change>
  void edit(const std::string& key, Change change) {
    entries_.edit(key, [&](Entry& entry) {
      if (entry.number == 0) {
        keys_.push_back(key);
        entry.number = static_cast<uint32_t>(keys_.size());
      }
      change(entry);
    });
  }

  /// What is in force waits to be taken once more.
  void want_again(const std::string& key, const Entry& before) {
    if (!before.is_pending && before.text) {
      edit(key, [](Entry& entry) {
        entry.wanted = std::exchange(entry.text, std::nullopt);
        entry.is_pending = true;
      });
    }
  }

  void hold(const std::string& key, bool held) {
    edit(key, [held](Entry& entry) { entry.is_held = held; });
  }

  std::string name_of(uint32_t number) const {
    return number <= keys_.size() ? keys_[number - 1] : std::string();
  }

  /// Takes what is pending, or as much of it as can be.
  LoadResult settle() {
    Keys candidates;
    for (const std::string& key : entries_.pending()) {
      if (!entries_.at(key).is_held) {
        candidates.insert(candidates.end(), key);
      }
    }
    taken_.clear();
    std::vector<Diagnostic> refusals;
    for (int round = 0; round < kRoundsMax; ++round) {
      Attempt attempt = can_patch(candidates) ? patch(candidates) : rebuild(candidates);
      if (attempt.loaded.config) {
        take(candidates, *attempt.loaded.config);
        attempt.loaded.diagnostics.insert(attempt.loaded.diagnostics.begin(), refusals.begin(),
                                          refusals.end());
        attempt.loaded.digest = entries_.digest(file_);
        return std::move(attempt.loaded);
      }
      if (!refuse(candidates, attempt, refusals) || (candidates.empty() && !file_changed_)) {
        std::erase_if(attempt.loaded.diagnostics, [&refusals](const Diagnostic& each) {
          return std::find(refusals.begin(), refusals.end(), each) != refusals.end();
        });
        attempt.loaded.diagnostics.insert(attempt.loaded.diagnostics.begin(), refusals.begin(),
                                          refusals.end());
        return std::move(attempt.loaded);
      }
    }
    LoadResult nothing;
    nothing.diagnostics = std::move(refusals);
    return nothing;
  }

  /// Takes those out of the candidates that keep the rest from going through. False: there are
  /// none, it is the file.
  bool refuse(Keys& candidates, const Attempt& attempt, std::vector<Diagnostic>& refusals) {
    Keys bad;
    Keys leaving;
    for (const std::string& key : candidates) {
      const Entry& entry = entries_.at(key);
      if (attempt.bad.contains(entry.number)) {
        bad.insert(key);
      }
      if (!entry.wanted) {
        leaving.insert(key);
      }
    }
    // What is in force was good as long as those were there.
    const bool others_suffer = attempt.bad.size() > bad.size();
    Keys refused = (bad.empty() || others_suffer) && !leaving.empty() ? leaving : bad;
    if (refused.empty() && !file_changed_) {
      refused = candidates;
    }
    if (bad.empty() || others_suffer) {
      refused = spoilers(candidates, refused);
    }
    const bool any = !refused.empty();
    std::erase_if(refused, [&](const std::string& key) {
      candidates.erase(key);
      return !note_reason(key, attempt.loaded.diagnostics);  // it has been told
    });
    std::copy_if(attempt.loaded.diagnostics.begin(), attempt.loaded.diagnostics.end(),
                 std::back_inserter(refusals), [&](const Diagnostic& each) {
                   return each.severity == Severity::kError && refused.contains(each.file);
                 });
    return any;
  }

  /// Those of the suspects that the others cannot go with, where the errors do not say: what was
  /// refused before, or else what is found by trying.
  Keys spoilers(const Keys& candidates, const Keys& suspects) {
    Keys before;
    std::copy_if(suspects.begin(), suspects.end(), std::inserter(before, before.end()),
                 [this](const std::string& key) { return !entries_.at(key).reason.empty(); });
    if (!before.empty() && before.size() < suspects.size()) {
      return before;
    }
    if (suspects.size() < 2 || suspects.size() > kSuspectsMax) {
      return suspects;
    }
    Keys going;
    std::set_difference(candidates.begin(), candidates.end(), suspects.begin(), suspects.end(),
                        std::inserter(going, going.end()));
    Keys left = suspects;
    for (bool found = true; found;) {  // one may need another
      found = false;
      for (auto at = left.begin(); at != left.end();) {
        going.insert(*at);
        if (rebuild(going).loaded.config) {
          at = left.erase(at);
          found = true;
        } else {
          going.erase(*at++);
        }
      }
    }
    return left.empty() ? suspects : left;
  }

  /// False: it is the one of before.
  bool note_reason(const std::string& key, const std::vector<Diagnostic>& diagnostics) {
    const Diagnostic* first = nullptr;
    for (const Diagnostic& each : diagnostics) {
      if (each.severity == Severity::kError && (first == nullptr || each.file == key) &&
          (first == nullptr || first->file != key)) {
        first = &each;
      }
    }
    std::string reason;
    if (first == nullptr) {
      reason = "the config as a whole is not valid";
    } else if (first->file == key) {
      reason = reason_of(*first);
    } else {
      reason = fmt::format("{}: {}", first->file, reason_of(*first));
    }
    const bool is_new = reason != entries_.at(key).reason;
    edit(key, [&reason](Entry& entry) { entry.reason = std::move(reason); });
    return is_new;
  }

  /// Whether the candidates leave every index of every list as it is, but for routes.
  bool can_patch(const Keys& candidates) const {
    return config_ && !file_changed_ &&
           std::all_of(candidates.begin(), candidates.end(), [this](const std::string& key) {
             return entries_.at(key).wanted || list_of(key) == kRoutes;
           });
  }

  const std::string* text_of(const std::string& key, const Entry& entry,
                             const Keys& candidates) const {
    const std::optional<std::string>& text = candidates.contains(key) ? entry.wanted : entry.text;
    return text ? &*text : nullptr;
  }

  Attempt rebuild(const Keys& candidates) {
    const SourceText source(file_);
    Reader reader(source, path_, options_.load);
    NameTable names;
    reader.share_names(names);
    reader.name_sources([this](uint32_t number) { return name_of(number); });
    std::vector<YamlProblem> problems;
    YamlDocument base = parse_yaml(file_, problems);
    report_problems(reader, problems);
    AssemblyNodes nodes(std::move(base));
    std::deque<SourceText> sources;  // the reader keeps their addresses
    for (const auto& [key, entry] : entries_.all()) {
      if (const std::string* text = text_of(key, entry, candidates)) {
        reader.add_source(entry.number, key, &sources.emplace_back(*text));
        nodes.add(reader, key, entry.number, *text);
      }
    }
    Config config;
    config.source_path = path_;
    const Node* root = nodes.root();
    if (root != nullptr) {
      read_root(reader, *root, config);
      complete(config);
    } else if (problems.empty()) {
      reader.error({}, empty_file());
    }
    Attempt attempt = finish(reader, std::move(config));
    if (attempt.loaded.config) {
      if (config_) {
        share_unchanged(*attempt.loaded.config, *config_);  // or each later change compares all
      }
      next_names_ = std::move(names);
      next_stubs_ = nodes.stubs();
    }
    return attempt;
  }

  void complete(Config& config) const {
    name_node(config, options_.load);
    if (options_.complete) {
      options_.complete(config);
    }
  }

  static Attempt finish(Reader& reader, Config config) {
    Attempt attempt;
    attempt.bad = reader.sources_with_errors();
    if (!reader.has_errors()) {
      attempt.loaded.config = std::move(config);
    }
    attempt.loaded.diagnostics = reader.take_diagnostics();
    return attempt;
  }

  /// As rebuild(), of the candidates alone. Without `keep` nothing can be committed.
  Attempt patch(const Keys& candidates, bool keep = true) {
    const SourceText source(file_);
    Reader reader(source, path_, options_.load);
    reader.name_sources([this](uint32_t number) { return name_of(number); });
    reader.share_names(names_);
    AssemblyPatch patch(*config_, stubs_, names_);
    std::deque<SourceText> sources;  // the reader keeps their addresses
    for (const std::string_view list : document_lists()) {
      const std::string prefix = std::string(list) + "/";
      for (auto at = candidates.lower_bound(prefix);
           at != candidates.end() && at->starts_with(prefix); ++at) {
        const Entry& entry = entries_.at(*at);
        if (entry.wanted) {
          reader.add_source(entry.number, *at, &sources.emplace_back(*entry.wanted));
          patch.put(reader, *at, entry.number, *entry.wanted);
        } else {
          patch.remove(*at, entry.number);
        }
      }
    }
    refuse_foreign(reader, candidates);
    patch.finish();
    if (!reader.has_errors() && !is_consistent(patch.config())) {
      check_errors(reader, patch.make_root(), patch.config());
    }
    if (reader.has_errors() || !keep) {
      patch.undo_names();
    } else {
      next_stubs_ = patch.take_stubs();
      next_names_.reset();  // they were changed in place
    }
    return finish(reader, std::move(patch.config()));
  }

  /// Whether check_errors() has nothing to say.
  bool is_consistent(const Config& config) const {
    const SourceText nothing("");
    Reader reader(nothing, path_, options_.load);
    check_errors(reader, Node{}, config);
    return !reader.has_errors();
  }

  /// Those whose keys are no documents' at all.
  void refuse_foreign(Reader& reader, const Keys& candidates) const {
    for (const std::string& key : candidates) {
      report_document_key(reader, key, entries_.at(key).number);
    }
  }

  /// Whether the file has put documents out of force.
  bool lost(const Entries& before) const {
    return std::any_of(before.all().begin(), before.all().end(), [this](const auto& each) {
      return each.second.text && !entries_.at(each.first).text;
    });
  }

  /// The candidates are in force; the rest of an attempt that went well follows by commit().
  void take(const Keys& candidates, const Config& config) {
    for (const std::string& key : candidates) {
      edit(key, [&](Entry& entry) {
        taken_.push_back({key, std::move(entry.text)});
        entry.text = std::move(entry.wanted);
        entry.wanted.reset();
        entry.is_pending = false;
        entry.reason.clear();
      });
    }
    next_config_ = config;
  }

  void commit() {
    if (next_names_) {
      names_ = std::move(*next_names_);
      next_names_.reset();
    }
    stubs_ = std::move(next_stubs_);
    config_ = std::move(next_config_);
  }

  std::string path_;
  AssemblyOptions options_;
  std::string file_;
  bool file_changed_ = true;  // since the config in force was made
  Entries entries_;
  std::vector<std::string> keys_;  // by number, from 1
  std::optional<Config> config_;   // in force
  std::vector<Document> taken_;    // by the last change, as they were before
  std::vector<std::pair<std::string, std::optional<Entry>>> undo_;  // of the last try_all()
  NameTable names_;
  AssemblyStubs stubs_;
  std::optional<State> before_load_;     // of the last load(), until a change follows
  std::optional<Config> next_config_;    // of the attempt that went well, until it is committed
  std::optional<NameTable> next_names_;  // the same; none: they are as they were
  AssemblyStubs next_stubs_;
};

Assembly::Assembly(std::string path, AssemblyOptions options)
    : impl_(std::make_unique<Impl>(std::move(path), std::move(options))) {}

Assembly::~Assembly() = default;

LoadResult Assembly::load() {
  return impl_->load();
}

LoadResult Assembly::change(std::vector<Document> documents) {
  return impl_->change(std::move(documents));
}

LoadResult Assembly::change_all(std::vector<Document> documents) {
  return impl_->try_all(std::move(documents), /*keep=*/true);
}

LoadResult Assembly::check_all(std::vector<Document> documents) {
  return impl_->try_all(std::move(documents), /*keep=*/false);
}

LoadResult Assembly::revert_all() {
  return impl_->revert_all();
}

std::vector<ElementSummary> Assembly::elements() const {
  return impl_->elements();
}

std::optional<Element> Assembly::element(std::string_view key) const {
  return impl_->element(key);
}

bool Assembly::in_file(std::string_view key) const {
  return impl_->in_file(key);
}

std::optional<std::string> Assembly::wanted(std::string_view key) const {
  return impl_->wanted(key);
}

void Assembly::revert_load() {
  impl_->revert_load();
}

void Assembly::revert(const std::string& reason) {
  impl_->revert(reason);
}

std::vector<Refusal> Assembly::refused() const {
  return impl_->refused();
}

std::vector<Document> Assembly::documents() const {
  return impl_->documents();
}

std::optional<std::string> Assembly::document(std::string_view key) const {
  return impl_->document(key);
}

size_t Assembly::size() const {
  return impl_->size();
}

}  // namespace hangu::config
