//! Where the boxes of a picture are, and the lines between them.

use std::collections::BTreeMap;

use crate::inspect::drawing::Drawing;

/// In pixels: the height of a box, from one row to the next, between two boxes, around all of them.
pub(crate) const HEIGHT: f64 = 40.0;
const ROW: f64 = 88.0;
const GAP: f64 = 24.0;
const MARGIN: f64 = 16.0;
/// How much of a row a line takes that passes through it.
const LINE: f64 = 8.0;
/// How often the order in the rows, and the places, are improved.
const ROUNDS: usize = 8;

/// A box.
#[derive(Debug)]
pub(crate) struct Spot {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) width: f64,
}

/// All of a picture.
#[derive(Debug)]
pub(crate) struct Places<'a> {
    /// By label.
    pub(crate) spots: BTreeMap<&'a str, Spot>,
    /// Each from a fixture to one that it gets. The points are where the line enters and leaves a row.
    pub(crate) lines: Vec<Vec<(f64, f64)>>,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

/// What stands in a row: a box, or a line that passes.
#[derive(Debug)]
struct Item {
    width: f64,
    row: usize,
    /// The middle.
    x: f64,
    above: Vec<usize>,
    below: Vec<usize>,
}

impl<'a> Places<'a> {
    /// Boxes in rows: each below those that get it, and no line crosses a box.
    pub(crate) fn of(drawing: &'a Drawing, width_of: impl Fn(&str) -> f64) -> Self {
        let rows = rows(drawing);
        let mut items: Vec<Item> = Vec::new();
        let mut boxes: BTreeMap<&str, usize> = BTreeMap::new();
        for (label, row) in &rows {
            boxes.insert(label, items.len());
            items.push(Item::new(width_of(label), *row));
        }
        let mut chains = Vec::new();
        for (label, node) in &drawing.nodes {
            let from = boxes[&**label];
            for to in node.needs.iter().filter_map(|need| boxes.get(&**need)) {
                let mut chain = vec![from];
                for row in (items[*to].row + 1..items[from].row).rev() {
                    chain.push(items.len());
                    items.push(Item::new(LINE, row));
                }
                chain.push(*to);
                for pair in chain.windows(2) {
                    items[pair[0]].below.push(pair[1]);
                    items[pair[1]].above.push(pair[0]);
                }
                chains.push(chain);
            }
        }
        let top = items.iter().map(|item| item.row).max().unwrap_or(0);
        let mut order: Vec<Vec<usize>> = vec![Vec::new(); top + 1];
        for (at, item) in items.iter().enumerate() {
            order[item.row].push(at);
        }
        arrange(&mut items, &mut order);

        let left = |item: &Item| item.x - item.width / 2.0;
        let right = |item: &Item| item.x + item.width / 2.0;
        let first = items.iter().map(left).fold(f64::INFINITY, f64::min);
        let last = items.iter().map(right).fold(f64::NEG_INFINITY, f64::max);
        let y = |item: &Item| MARGIN + real(top - item.row) * ROW;
        let x = |item: &Item| item.x - first + MARGIN;
        let spots = boxes.iter().map(|(label, at)| {
            let item = &items[*at];
            let spot = Spot {
                x: x(item) - item.width / 2.0,
                y: y(item),
                width: item.width,
            };
            (*label, spot)
        });
        let lines = chains.iter().map(|chain| {
            let points = chain.iter().map(|at| &items[*at]);
            let points = points.flat_map(|item| [(x(item), y(item)), (x(item), y(item) + HEIGHT)]);
            // Not through the boxes at its ends.
            points.skip(1).take(chain.len() * 2 - 2).collect()
        });
        Self {
            spots: spots.collect(),
            lines: lines.collect(),
            width: (last - first).max(0.0) + 2.0 * MARGIN,
            height: real(top) * ROW + HEIGHT + 2.0 * MARGIN,
        }
    }
}

impl Item {
    fn new(width: f64, row: usize) -> Self {
        Self {
            width,
            row,
            x: 0.0,
            above: Vec::new(),
            below: Vec::new(),
        }
    }
}

/// The row of each label, from the bottom: as near as can be to those that get it.
fn rows(drawing: &Drawing) -> BTreeMap<&str, usize> {
    let mut rows: BTreeMap<&str, usize> = BTreeMap::new();
    let mut labels: Vec<(usize, &str)> = drawing
        .nodes
        .keys()
        .map(|label| (drawing.height(label), &**label))
        .collect();
    labels.sort_unstable();
    for (height, label) in labels.into_iter().rev() {
        let users = drawing.nodes.iter();
        let users = users.filter(|(_, node)| node.needs.contains(label));
        let lowest = users.filter_map(|(user, _)| rows.get(&**user)).min();
        rows.insert(label, lowest.map_or(height, |row| row - 1));
    }
    rows
}

/// Orders the rows so that lines cross rarely, and then moves the items towards those that they are connected with.
fn arrange(items: &mut [Item], order: &mut [Vec<usize>]) {
    for row in order.iter() {
        place(items, row, |_, at| real(at) * GAP);
    }
    for round in 0..ROUNDS {
        let upwards = round % 2 == 0;
        let mut rows: Vec<&mut Vec<usize>> = order.iter_mut().collect();
        if !upwards {
            rows.reverse();
        }
        for row in rows {
            let wanted: BTreeMap<usize, f64> = row
                .iter()
                .map(|at| (*at, wanted(items, *at, upwards)))
                .collect();
            if round + 2 < ROUNDS {
                row.sort_by(|one, other| wanted[one].total_cmp(&wanted[other]));
            }
            place(items, row, |item, _| wanted[&item]);
        }
    }
}

/// The middle of those that an item is connected with on one side; without any, where it is.
fn wanted(items: &[Item], at: usize, upwards: bool) -> f64 {
    let item = &items[at];
    let others = match upwards {
        true => &item.below,
        false => &item.above,
    };
    if others.is_empty() {
        return item.x;
    }
    others.iter().map(|other| items[*other].x).sum::<f64>() / real(others.len())
}

/// Places a row in its order, each item as near as can be to where `wanted` wants it.
///
/// Neighbours that want to be closer than they can are one group, around the middle of what they want.
fn place(items: &mut [Item], row: &[usize], wanted: impl Fn(usize, usize) -> f64) {
    // How far each is from the first one, if all of them stand close together.
    let mut offsets = Vec::with_capacity(row.len());
    let mut offset = 0.0;
    for (at, item) in row.iter().enumerate() {
        if let Some(before) = at.checked_sub(1) {
            offset += (items[row[before]].width + items[*item].width) / 2.0 + GAP;
        }
        offsets.push(offset);
    }
    // Each group: the place of its first item, less the offset of that, and how many it has.
    let mut groups: Vec<(f64, usize)> = Vec::new();
    for (at, item) in row.iter().enumerate() {
        let mut group = (wanted(*item, at) - offsets[at], 1);
        while let Some(before) = groups.pop_if(|before| before.0 > group.0) {
            let count = before.1 + group.1;
            let sum = before.0 * real(before.1) + group.0 * real(group.1);
            group = (sum / real(count), count);
        }
        groups.push(group);
    }
    let places = groups
        .into_iter()
        .flat_map(|(place, count)| std::iter::repeat_n(place, count));
    for ((item, offset), place) in row.iter().zip(offsets).zip(places) {
        items[*item].x = place + offset;
    }
}

#[expect(clippy::cast_precision_loss, reason = "there are few")]
fn real(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::inspect::drawing::Node;

    fn drawing(nodes: &[(&str, &[&str])]) -> Drawing {
        let node = |needs: &[&str]| Node {
            needs: needs.iter().map(|need| (*need).to_owned()).collect(),
            ..Node::default()
        };
        let nodes = nodes
            .iter()
            .map(|(label, needs)| ((*label).to_owned(), node(needs)));
        Drawing {
            nodes: nodes.collect(),
        }
    }

    #[test]
    fn no_line_crosses_a_box_and_no_box_another_one() {
        let drawing = drawing(&[
            ("client", &["http", "server", "db"]),
            ("server", &["router"]),
            ("router", &["session"]),
            ("shelf", &["entries", "router"]),
            ("session", &["db", "isolation"]),
            ("db", &["schema"]),
            ("schema", &[]),
            ("isolation", &[]),
            ("http", &[]),
            ("entries", &[]),
            ("alone", &[]),
        ]);
        let places = Places::of(&drawing, |label| 20.0 + real(label.len()) * 8.0);
        let boxes: Vec<&Spot> = places.spots.values().collect();
        for (at, one) in boxes.iter().enumerate() {
            assert!(one.x >= 0.0 && one.x + one.width <= places.width, "{one:?}");
            for other in &boxes[at + 1..] {
                let apart = one.x + one.width <= other.x
                    || other.x + other.width <= one.x
                    || (one.y - other.y).abs() > HEIGHT;
                assert!(apart, "{one:?} {other:?}");
            }
        }
        assert_eq!(places.lines.len(), 10);
        for line in &places.lines {
            // In a row it is straight, and passes between the boxes.
            for pair in line.windows(2).skip(1).step_by(2) {
                let ((x, y), (below, _)) = (pair[0], pair[1]);
                assert!((x - below).abs() < 1e-9, "{line:?}");
                let crossed = boxes
                    .iter()
                    .find(|spot| (spot.y - y).abs() < 1.0 && spot.x < x && x < spot.x + spot.width);
                assert!(crossed.is_none(), "{crossed:?} {line:?}");
            }
        }
    }

    #[test]
    fn a_fixture_is_in_the_row_below_those_that_get_it() {
        let drawing = drawing(&[
            ("a", &["b", "http"]),
            ("b", &["c"]),
            ("c", &["d"]),
            ("d", &[]),
            ("http", &[]),
        ]);
        let rows = rows(&drawing);
        assert_eq!((rows["a"], rows["b"], rows["http"]), (3, 2, 2));
        assert_eq!((rows["c"], rows["d"]), (1, 0));
        let labels: BTreeSet<&str> = rows.into_keys().collect();
        assert_eq!(labels.len(), 5);
    }
}
