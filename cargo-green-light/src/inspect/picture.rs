//! A drawing as a picture: SVG that needs no other file, light or dark as its viewer is.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::inspect::drawing::{Drawing, Node};

/// In pixels: of a box, between two, and of a letter.
const HEIGHT: f64 = 40.0;
const GAP: f64 = 24.0;
const ROW: f64 = 96.0;
const LETTER: f64 = 7.4;
const MARGIN: f64 = 16.0;

const STYLE: &str = "
  svg { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; background: #fff }
  rect { fill: #fff; stroke: #2a78d6; stroke-width: 1.5 }
  text { fill: #1f2328; text-anchor: middle }
  .about { font-size: 10.5px; fill: #59636e }
  path { fill: none; stroke: #8c959f }
  .process rect { fill: #dbeafe } .module rect { fill: #ccfbf1; stroke: #0d9488 }
  .around rect { stroke: #b45309 } .tests rect { stroke: #8c959f; stroke-dasharray: 4 }
  @media (prefers-color-scheme: dark) {
    svg { background: #0d1117 } rect { fill: #0d1117; stroke: #3987e5 } text { fill: #f0f6fc }
    .about { fill: #9198a1 } path { stroke: #656c76 }
    .process rect { fill: #12305c } .module rect { fill: #0b3b38; stroke: #2dd4bf }
    .around rect { stroke: #f59e0b } .tests rect { stroke: #656c76 }
  }
";

/// Where a box is.
struct Spot {
    x: f64,
    y: f64,
    width: f64,
}

/// Boxes in rows, the ones that get nothing at the bottom.
pub(crate) fn svg(drawing: &Drawing) -> String {
    let rows = rows(drawing);
    let width_of = |node: &Node| {
        let letters = node
            .name
            .chars()
            .count()
            .max(node.about().chars().count() * 5 / 6);
        #[expect(clippy::cast_precision_loss, reason = "names are short")]
        let letters = letters as f64;
        letters * LETTER + 2.0 * MARGIN
    };
    let row_width = |row: &[&String]| {
        let widths = row
            .iter()
            .map(|label| width_of(&drawing.nodes[*label]) + GAP);
        widths.sum::<f64>() - GAP
    };
    let whole = rows.iter().map(|row| row_width(row)).fold(0.0, f64::max);
    let mut spots: BTreeMap<&String, Spot> = BTreeMap::new();
    let mut y = MARGIN;
    for row in rows.iter().rev() {
        let mut x = MARGIN + (whole - row_width(row)) / 2.0;
        for label in row {
            let width = width_of(&drawing.nodes[*label]);
            spots.insert(label, Spot { x, y, width });
            x += width + GAP;
        }
        y += ROW;
    }
    let (width, height) = (whole + 2.0 * MARGIN, y - ROW + HEIGHT + MARGIN);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" \
         height=\"{height:.0}\" role=\"img\">\n<title>Fixtures and what they get</title>\n<style>{STYLE}</style>\n"
    );
    for (label, node) in &drawing.nodes {
        let from = &spots[label];
        for to in node.needs.iter().filter_map(|need| spots.get(need)) {
            let (x1, y1) = (from.x + from.width / 2.0, from.y + HEIGHT);
            let (x2, y2) = (to.x + to.width / 2.0, to.y);
            let middle = f64::midpoint(y1, y2);
            let _ = writeln!(
                text,
                "<path d=\"M{x1:.0} {y1:.0}C{x1:.0} {middle:.0} {x2:.0} {middle:.0} {x2:.0} {y2:.0}\"/>"
            );
        }
    }
    for (label, node) in &drawing.nodes {
        let spot = &spots[label];
        let middle = spot.x + spot.width / 2.0;
        let _ = writeln!(
            text,
            "<g class=\"{}\"><title>{}</title><rect x=\"{:.0}\" y=\"{:.0}\" width=\"{:.0}\" height=\"{HEIGHT}\" rx=\"6\"/>\
             <text x=\"{middle:.0}\" y=\"{:.0}\">{}</text><text class=\"about\" x=\"{middle:.0}\" y=\"{:.0}\">{}</text></g>",
            node.scope,
            escaped(label),
            spot.x,
            spot.y,
            spot.width,
            spot.y + 17.0,
            escaped(&node.name),
            spot.y + 32.0,
            node.about()
        );
    }
    text.push_str("</svg>\n");
    text
}

/// The labels by height; each row in an order that keeps lines short.
fn rows(drawing: &Drawing) -> Vec<Vec<&String>> {
    let mut rows: Vec<Vec<&String>> = Vec::new();
    for label in drawing.nodes.keys() {
        let height = drawing.height(label);
        if rows.len() <= height {
            rows.resize_with(height + 1, Vec::new);
        }
        rows[height].push(label);
    }
    let mut places: BTreeMap<&String, f64> = BTreeMap::new();
    for row in &mut rows {
        // In the middle of what they get.
        let middle = |label: &String| {
            let needs = &drawing.nodes[label].needs;
            let found: Vec<f64> = needs
                .iter()
                .filter_map(|need| places.get(need).copied())
                .collect();
            #[expect(clippy::cast_precision_loss, reason = "there are few")]
            let count = found.len().max(1) as f64;
            found.iter().sum::<f64>() / count
        };
        row.sort_by(|one, other| middle(one).total_cmp(&middle(other)).then(one.cmp(other)));
        #[expect(clippy::cast_precision_loss, reason = "there are few")]
        let length = row.len() as f64;
        for (at, label) in row.iter().enumerate() {
            #[expect(clippy::cast_precision_loss, reason = "there are few")]
            places.insert(label, (at as f64 + 0.5) / length);
        }
    }
    rows
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
