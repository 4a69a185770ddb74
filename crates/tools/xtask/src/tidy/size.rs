//! Rule 6. A file, a function and its parameters stay small enough to be read at once.

use syn::spanned::Spanned;
use syn::visit::Visit;

use super::Finding;
use super::source::Source;
use super::workspace::Workspace;

const RULE: &str = "size";
const FILE_LINES: usize = 400;
const FUNCTION_LINES: usize = 70;
const PARAMETERS: usize = 6;
const CONTRACTS: &str = "contracts";
const CONTRACTS_LINES: usize = 4_000;

pub(super) fn check(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in &workspace.sources {
        let lines = source.lines_without_tests();
        if lines > FILE_LINES {
            let advice = format!("{lines} lines without tests, {FILE_LINES} are allowed: split the file");
            findings.push(Finding { file: source.path.clone(), line: 1, rule: RULE, advice });
        }
        let mut functions = Functions { source, findings: &mut findings };
        functions.visit_file(&source.tree);
    }
    let contracts = workspace.sources.iter().filter(|source| source.owner == CONTRACTS);
    let lines: usize = contracts.map(Source::lines_without_tests).sum();
    if lines >= CONTRACTS_LINES {
        let file = "crates/foundation/contracts/Cargo.toml".to_owned();
        let advice = format!("{lines} lines, {CONTRACTS_LINES} are too many: publish less");
        findings.push(Finding { file, line: 1, rule: RULE, advice });
    }
    findings
}

struct Functions<'a> {
    source: &'a Source,
    findings: &'a mut Vec<Finding>,
}

impl Functions<'_> {
    fn judge(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let line = signature.span().start().line;
        if self.source.is_test(line) {
            return;
        }
        let lines = block.span().end().line - line + 1;
        if lines > FUNCTION_LINES {
            self.report(line, format!("{lines} lines, a function has {FUNCTION_LINES} at most: divide it"));
        }
        self.judge_parameters(signature);
    }

    fn judge_parameters(&mut self, signature: &syn::Signature) {
        let (line, count) = (signature.span().start().line, signature.inputs.len());
        if count > PARAMETERS && !self.source.is_test(line) {
            self.report(line, format!("{count} parameters, {PARAMETERS} are allowed: make a struct of them"));
        }
    }

    fn report(&mut self, line: usize, advice: String) {
        self.findings.push(Finding { file: self.source.path.clone(), line, rule: RULE, advice });
    }
}

impl<'a> Visit<'a> for Functions<'_> {
    fn visit_item_fn(&mut self, function: &'a syn::ItemFn) {
        self.judge(&function.sig, &function.block);
        syn::visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'a syn::ImplItemFn) {
        self.judge(&function.sig, &function.block);
        syn::visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'a syn::TraitItemFn) {
        match &function.default {
            Some(block) => self.judge(&function.sig, block),
            None => self.judge_parameters(&function.sig),
        }
        syn::visit::visit_trait_item_fn(self, function);
    }
}
