// ConfigEditor: reads the elements of the config and changes those that are documents, for the
// admin API: in the config centre where there is one, else in a file of this machine. A change is
// checked like any other, alone and with everything else, is in force as a whole or not at all, and
// done when it is in force and nothing can lose it. One change after the other. Control thread; the
// loader's does what takes time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hangu/config/element.h"
#include "hangu/control/config_center.h"
#include "hangu/control/config_source.h"

namespace boost::asio {
class io_context;
}

namespace hangu::control {

class Loader;
struct ReloadOutcome;

/// What a writer says that a document is before the change.
struct Precondition {
  bool is_absent = false;            // there is none: If-None-Match: *
  bool is_present = false;           // there is one: If-Match: *
  std::vector<std::string> digests;  // it is one of these: If-Match

  bool empty() const { return !is_absent && !is_present && digests.empty(); }
};

struct DocumentEdit {
  std::string key;
  std::optional<std::string> text;  // none: remove it
  Precondition condition;
};

struct ConfigEdit {
  std::vector<DocumentEdit> documents;
  std::vector<std::string> digests;  // of the whole config, one of these; none: whatever it is
  bool dry_run = false;
  /// Why somebody may not make that of a document; empty: they may. Empty function: they may all.
  std::function<std::string(std::string_view key, const std::optional<std::string>& before,
                            const std::optional<std::string>& after)>
      refuse;
  std::string actor;    // for the audit log
  std::string author;   // who is remembered with it
  std::string message;  // why
};

/// What has become of one document.
struct EditedDocument {
  std::string key;
  std::string before;  // digests; empty: it was, or is, not there
  std::string after;
};

struct EditOutcome {
  enum class Kind : uint8_t {
    kDone,         // in force and kept; of a dry run: it could be
    kPending,      // written, but not in force here yet; see `error`
    kReadOnly,     // the config does not let anybody write
    kForbidden,    // not to this one
    kInFile,       // the file has an element of that name
    kNotFound,     // there is nothing to remove
    kMismatch,     // a precondition does not hold; `documents` say what there is
    kInvalid,      // see `diagnostics`
    kRefused,      // by the gateway, see `error`
    kUnsigned,     // whoever decides does not believe it
    kConflict,     // others write all the time
    kTooMuch,      // of documents
    kUnreachable,  // the store
    kNotStored,    // the disk
    kBusy,         // with others, or another process serves, or is about to
  };

  Kind kind = Kind::kDone;
  std::string error;
  std::vector<config::Diagnostic> diagnostics;  // warnings only, when done
  std::vector<EditedDocument> documents;        // that change
  uint64_t generation = 0;                      // of the store
  std::string digest;                           // of the whole config afterwards
};

/// Where documents are.
enum class DocumentStoreKind : uint8_t { kNone, kLocal, kCenter };

struct ElementList {
  std::vector<config::ElementSummary> elements;
  std::string digest;  // of the whole config
};

struct DocumentsStatus {
  DocumentStoreKind store = DocumentStoreKind::kNone;
  size_t documents = 0;
  uint64_t generation = 0;  // of the local store
  std::string time;         // of its last change
  std::string author;
  std::vector<config::Refusal> refused;
};

class ConfigEditor {
 public:
  struct InForce {
    uint64_t generation = 0;
    std::string digest;
  };

  struct Hooks {
    Loader* loader = nullptr;  // outlives it
    /// Loads by this on the loader's thread and publishes; `object`: for the audit log.
    std::function<void(std::function<config::LoadResult()> load, std::string actor,
                       std::string object, std::function<void(const ReloadOutcome&)> done)>
        apply;
    std::function<InForce()> in_force;
    std::function<ConfigCenterStatus()> center;
    /// Whether this process is the one that writes: not before it serves, nor when another does.
    std::function<bool()> serves;
  };

  ConfigEditor(boost::asio::io_context& context, const config::Config& config,
               std::shared_ptr<ConfigSource> source, Hooks hooks);
  ~ConfigEditor();  // ends everything; whoever waits hears nothing

  void list(std::function<void(ElementList)> done);
  void element(std::string key, std::function<void(std::optional<config::Element>)> done);
  void edit(ConfigEdit edit, std::function<void(EditOutcome)> done);

  /// A change is under way that is in force and may not be kept yet.
  bool busy() const;

  DocumentsStatus status() const;

  static constexpr size_t kWaitingMax = 64;      // edits
  static constexpr size_t kDocumentsMax = 1000;  // of one edit

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace hangu::control
