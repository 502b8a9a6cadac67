; What an author should look at. Each capture is a type of wfx/scripts/analysis.py; names that the script declares itself,
; and loops with a way out, are sorted out there.

((identifier) @eval (#eq? @eval "eval"))
(member_expression property: (property_identifier) @eval (#eq? @eval "eval"))
(subscript_expression index: (string (string_fragment) @eval) (#eq? @eval "eval"))

((identifier) @function (#eq? @function "Function"))
(member_expression property: (property_identifier) @function (#eq? @function "Function"))
(subscript_expression index: (string (string_fragment) @function) (#eq? @function "Function"))

(call_expression
  function: (member_expression property: (property_identifier) @constructor (#eq? @constructor "constructor")))
(new_expression
  constructor: (member_expression property: (property_identifier) @constructor (#eq? @constructor "constructor")))
(member_expression
  object: (member_expression property: (property_identifier) @constructor (#eq? @constructor "constructor"))
  property: (property_identifier) @second (#eq? @second "constructor"))
(subscript_expression index: (string (string_fragment) @constructor) (#eq? @constructor "constructor"))

(call_expression function: (identifier) @require (#eq? @require "require"))
(call_expression
  function: [(identifier) (import)] @called
  arguments: (arguments [
    (string (string_fragment) @child_process)
    (template_string (string_fragment) @child_process)])
  (#match? @called "^(require|import)$")
  (#match? @child_process "^(node:)?child_process$"))
(call_expression function: (import) @import)
(import_statement) @import
((identifier) @process (#eq? @process "process"))

(while_statement condition: (parenthesized_expression [(true) (number)])) @endless_loop
(do_statement condition: (parenthesized_expression [(true) (number)])) @endless_loop
(for_statement condition: [(empty_statement) (true) (number)]) @endless_loop

(assignment_expression left: (identifier) @global)
(augmented_assignment_expression left: (identifier) @global)
(assignment_expression
  left: [(member_expression object: (identifier) @global_object) (subscript_expression object: (identifier) @global_object)]
  (#eq? @global_object "globalThis"))

(assignment_expression
  left: (member_expression
    object: (member_expression property: (property_identifier) @prototype (#eq? @prototype "prototype"))))
(assignment_expression
  left: (subscript_expression
    object: (member_expression property: (property_identifier) @prototype (#eq? @prototype "prototype"))))
(assignment_expression
  left: (member_expression property: (property_identifier) @prototype (#any-of? @prototype "prototype" "__proto__")))
(call_expression
  function: (member_expression
    object: (identifier) @owner
    property: (property_identifier) @prototype
    (#any-of? @owner "Object" "Reflect")
    (#eq? @prototype "setPrototypeOf")))

(variable_declarator name: (_) @declared)
(function_declaration name: (identifier) @declared)
(generator_function_declaration name: (identifier) @declared)
(function_expression name: (identifier) @declared)
(class_declaration name: (identifier) @declared)
(formal_parameters (_) @declared)
(arrow_function parameter: (identifier) @declared)
(catch_clause parameter: (_) @declared)
(for_in_statement left: (_) @declared)
