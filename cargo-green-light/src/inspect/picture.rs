//! A drawing as a picture: SVG that needs no other file, light or dark as its viewer is.

use std::fmt::Write as _;

use crate::inspect::drawing::{Drawing, Node};
use crate::inspect::places::{HEIGHT, Places};

/// In pixels: the width of a letter, and of the room beside a text.
const LETTER: f64 = 7.8;
const ROOM: f64 = 12.0;

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

/// The drawing as the text of an SVG.
pub(crate) fn svg(drawing: &Drawing) -> String {
    let places = Places::of(drawing, |label| width(&drawing.nodes[label]));
    let (width, height) = (places.width, places.height);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" \
         height=\"{height:.0}\" role=\"img\">\n<title>Fixtures and what they get</title>\n<style>{STYLE}</style>\n"
    );
    for line in &places.lines {
        let _ = writeln!(text, "<path d=\"{}\"/>", path(line));
    }
    for (label, node) in &drawing.nodes {
        let spot = &places.spots[&**label];
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

/// How wide the box of a fixture is: as its name, or the smaller text below it.
fn width(node: &Node) -> f64 {
    let name = node.name.chars().count();
    let letters = name.max(node.about().chars().count() * 5 / 6);
    #[expect(clippy::cast_precision_loss, reason = "names are short")]
    let letters = letters as f64;
    letters * LETTER + 2.0 * ROOM
}

/// A line that is straight within a row, and bends from one row to the next.
fn path(points: &[(f64, f64)]) -> String {
    let mut text = String::new();
    for (at, (x, y)) in points.iter().enumerate() {
        match at.checked_sub(1).map(|before| points[before]) {
            None => text.push_str(&format!("M{x:.0} {y:.0}")),
            Some(_) if at % 2 == 0 => text.push_str(&format!("V{y:.0}")),
            Some((from, above)) => {
                let middle = f64::midpoint(above, *y);
                text.push_str(&format!(
                    "C{from:.0} {middle:.0} {x:.0} {middle:.0} {x:.0} {y:.0}"
                ));
            }
        }
    }
    text
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
