//! Arithmetic on rows of numbers, compiled for each width of vectors and chosen when it runs.

/// Numbers that are worked on together; what the widest vectors hold.
const LANES: usize = 16;

/// Declares a function that does the same as a plain one with what this CPU has.
macro_rules! chosen {
    ($(#[$doc:meta])* $name:ident($($argument:ident: $kind:ty),*) by $plain:ident) => {
        $(#[$doc])*
        pub(crate) fn $name($($argument: $kind),*) {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f")]
                fn widest($($argument: $kind),*) {
                    $plain($($argument),*);
                }
                #[target_feature(enable = "avx2,fma")]
                fn wide($($argument: $kind),*) {
                    $plain($($argument),*);
                }
                if std::arch::is_x86_feature_detected!("avx512f") {
                    // SAFETY: the CPU has it.
                    return unsafe { widest($($argument),*) };
                }
                if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
                    // SAFETY: the CPU has both.
                    return unsafe { wide($($argument),*) };
                }
            }
            $plain($($argument),*);
        }
    };
}

chosen! {
    /// Turns scores into probabilities.
    probabilities(row: &mut [f32], scale: f32) by probabilities_plainly
}

chosen! {
    /// The activation GELU of each number, by its usual approximation with a hyperbolic tangent.
    gelu(row: &mut [f32]) by gelu_plainly
}

#[inline(always)]
fn probabilities_plainly(row: &mut [f32], scale: f32) {
    let (whole, rest) = row.as_chunks_mut::<LANES>();
    let mut most = [f32::NEG_INFINITY; LANES];
    for lanes in whole.iter_mut() {
        for (number, most) in lanes.iter_mut().zip(&mut most) {
            *number *= scale;
            *most = if *number > *most { *number } else { *most };
        }
    }
    for number in rest.iter_mut() {
        *number *= scale;
        most[0] = most[0].max(*number);
    }
    let most = most.into_iter().fold(f32::NEG_INFINITY, f32::max);
    let mut sums = [0.0f32; LANES];
    for lanes in whole.iter_mut() {
        for (number, sum) in lanes.iter_mut().zip(&mut sums) {
            *number = exp(*number - most);
            *sum += *number;
        }
    }
    for number in rest.iter_mut() {
        *number = exp(*number - most);
        sums[0] += *number;
    }
    let share = 1.0 / sums.iter().sum::<f32>();
    row.iter_mut().for_each(|number| *number *= share);
}

#[inline(always)]
fn gelu_plainly(row: &mut [f32]) {
    let activation = |x: f32| {
        // (1 + tanh u) / 2 = 1 / (1 + e^-2u)
        let twice = 1.595_769 * x * (0.044_715 * x).mul_add(x, 1.0);
        let small = exp(-twice.abs());
        x * if twice < 0.0 { small } else { 1.0 } / (1.0 + small)
    };
    let (whole, rest) = row.as_chunks_mut::<LANES>();
    for lanes in whole {
        lanes.iter_mut().for_each(|number| *number = activation(*number));
    }
    rest.iter_mut().for_each(|number| *number = activation(*number));
}

/// e to the power of a number that is at most 0, within two units of the last place; 0 below -87. Written so that
/// compilers make vectors of it: the number is split into a power of two and a rest, for which a polynomial does.
#[inline(always)]
fn exp(x: f32) -> f32 {
    /// Adding this leaves the nearest whole number in the low bits.
    const ROUND: f32 = 12_582_912.0;
    let shifted = x.mul_add(std::f32::consts::LOG2_E, ROUND);
    let whole = shifted - ROUND;
    // ln 2 in two parts, the first with so few digits that the product is exact.
    let rest = whole.mul_add(-1.428_606_8e-6, whole.mul_add(-0.693_145_75, x));
    let sum = 1.388_888_9e-3f32
        .mul_add(rest, 8.333_334e-3)
        .mul_add(rest, 4.166_666_8e-2)
        .mul_add(rest, 1.666_666_7e-1)
        .mul_add(rest, 0.5)
        .mul_add(rest, 1.0)
        .mul_add(rest, 1.0);
    let power = f32::from_bits(shifted.to_bits().wrapping_add(127) << 23);
    if x < -87.0 { 0.0 } else { sum * power }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_of_e() {
        for step in 0..87_000 {
            let x = -(step as f32) / 1_000.0;
            let wanted = f64::from(x).exp();
            assert!((f64::from(exp(x)) - wanted).abs() <= 2.0 * f64::from(f32::EPSILON) * wanted, "{x}: {}", exp(x));
        }
        assert_eq!([exp(0.0), exp(-88.0), exp(f32::NEG_INFINITY)], [1.0, 0.0, 0.0]);
    }

    #[test]
    fn activations() {
        let numbers: Vec<f32> = (-1_203..=1_203).map(|step| step as f32 / 100.0).collect();
        let mut row = numbers.clone();
        gelu(&mut row);
        for (x, got) in numbers.iter().map(|x| f64::from(*x)).zip(row) {
            let inner = (2.0 / std::f64::consts::PI).sqrt() * x * (1.0 + 0.044_715 * x * x);
            let wanted = 0.5 * x * (1.0 + inner.tanh());
            assert!((f64::from(got) - wanted).abs() <= 1e-6 * x.abs().max(1.0), "{x}: {got} for {wanted}");
        }
    }

    #[test]
    fn scores() {
        for count in [1, 15, 16, 33, 1_500] {
            let numbers: Vec<f32> = (0..count).map(|at| ((at * 7_919) % 401) as f32 / 10.0 - 20.0).collect();
            let mut row = numbers.clone();
            probabilities(&mut row, 0.125);
            let powers: Vec<f64> = numbers.iter().map(|x| (f64::from(*x) * 0.125).exp()).collect();
            let sum: f64 = powers.iter().sum();
            for (power, got) in powers.iter().zip(row) {
                assert!((f64::from(got) - power / sum).abs() <= 1e-6 * power / sum, "{got} for {}", power / sum);
            }
        }
    }
}
